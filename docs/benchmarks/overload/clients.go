package main

import (
	"context"
	"net/http"
	"strings"
)

// client is one way to call the upstream.
type client struct {
	name string
	open func(url string, l load) (do func(context.Context, *call) answer, closing func(), err error)
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
func over(make func(base *http.Transport) *http.Client) func(string, load) (func(context.Context, *call) answer, func(), error) {
	return func(url string, _ load) (func(context.Context, *call) answer, func(), error) {
		base := newTransport()
		c := make(base)
		return func(ctx context.Context, k *call) answer { return ask(ctx, c, url, k.prompt) }, base.CloseIdleConnections, nil
	}
}

// newTransport gives every client the same: enough idle connections that none
// has to dial for each request, which would be a handicap of another kind.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 1024, 1024
	return t
}

func openPool(url string, l load) (func(context.Context, *call) answer, func(), error) {
	base := newTransport()
	p := newPool(&http.Client{Transport: base}, url, 16, l.deadline)
	return p.do, func() { p.close(); base.CloseIdleConnections() }, nil
}
