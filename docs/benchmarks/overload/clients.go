package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/headgate-go/headgate/middleware/middlewaretest/loadtest"
)

// client is one way to call the upstream.
type client struct {
	name string
	open func(url string, l loadtest.Load) (do func(context.Context, *loadtest.Call) loadtest.Answer, closing func(), err error)
}

// told is the client that charts show dashed: it knows what the others don't.
const told = "Headgate, told the capacity"

func clients() []client {
	return []client{
		{"Headgate", headgate("overload")},
		{told, headgate("told")},
		{"plain http.Client", over(func(base *http.Transport) *http.Client { return &http.Client{Transport: base} })},
		{"pool of 16 workers", openPool},
		{"go-retryablehttp", over(retryable)},
		{"failsafe-go: retry, breaker, bulkhead", over(failsafeBulkhead)},
		{"failsafe-go: adaptive limiter, queue", over(failsafeAdaptive)},
	}
}

// named gives the clients whose name has the text.
func named(text string) (chosen []client) {
	for _, c := range clients() {
		if strings.Contains(strings.ToLower(c.name), strings.ToLower(text)) {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

// over opens a client that stands over net/http's transport.
func over(make func(base *http.Transport) *http.Client) func(string, loadtest.Load) (func(context.Context, *loadtest.Call) loadtest.Answer, func(), error) {
	return func(url string, _ loadtest.Load) (func(context.Context, *loadtest.Call) loadtest.Answer, func(), error) {
		base := newTransport()
		return asking(make(base), url), base.CloseIdleConnections, nil
	}
}

// asking sends each call its prompt.
func asking(c *http.Client, url string) func(context.Context, *loadtest.Call) loadtest.Answer {
	return func(ctx context.Context, k *loadtest.Call) loadtest.Answer { return ask(ctx, c, url, prompt(k)) }
}

// newTransport gives every client the same: enough idle connections that none
// has to dial for each request, which would be a handicap of another kind.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 1024, 1024
	return t
}

func openPool(url string, l loadtest.Load) (func(context.Context, *loadtest.Call) loadtest.Answer, func(), error) {
	base := newTransport()
	p := loadtest.NewPool(16, l.Deadline, asking(&http.Client{Transport: base}, url))
	return p.Do, func() { p.Close(); base.CloseIdleConnections() }, nil
}
