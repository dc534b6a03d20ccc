package circuitbreaker_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const host = "api.example.com"

var errConnection = errors.New("connection reset")

// rig is a breaker over an upstream that answers as it is told.
type rig struct {
	t      *testing.T
	stage  *circuitbreaker.CircuitBreaker
	rt     http.RoundTripper
	answer func(*http.Request) (*http.Response, error)
	sent   int // requests that reached the upstream

	mu     sync.Mutex
	events []middleware.Event
}

func config(change func(*circuitbreaker.Config)) circuitbreaker.Config {
	cfg := circuitbreaker.DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	return cfg
}

func newRig(t *testing.T, change func(*circuitbreaker.Config), opts ...circuitbreaker.Option) *rig {
	t.Helper()
	r := &rig{t: t}
	opts = append(opts, circuitbreaker.WithReporter(middleware.Reporter{Observer: middleware.ObserverFunc(r.observe)}))
	s, err := circuitbreaker.New(config(change), opts...)
	require.NoError(t, err)
	r.stage = s
	r.rt = s.Wrap(middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		r.sent++
		return r.answer(req)
	}))
	return r
}

func (r *rig) observe(_ context.Context, e middleware.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// kinds gives the kinds of the events so far, without the refusals.
func (r *rig) kinds() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var kinds []string
	for _, e := range r.events {
		if e.Kind != circuitbreaker.EventRejected {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

func (r *rig) request(ctx context.Context) *http.Request {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/", nil)
	require.NoError(r.t, err)
	return req
}

// call makes a call and reads its answer to the end.
func (r *rig) call() error { return read(r.rt.RoundTrip(r.request(r.t.Context()))) }

func read(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

func (r *rig) good(n int) {
	r.t.Helper()
	r.answer = status(http.StatusOK)
	for range n {
		require.NoError(r.t, r.call())
	}
}

func (r *rig) bad(n int) {
	r.t.Helper()
	r.answer = fails
	for range n {
		require.ErrorIs(r.t, r.call(), errConnection)
	}
}

// refused sees that a call is refused, and when it may come again.
func (r *rig) refused(wait time.Duration) {
	r.t.Helper()
	before := r.sent
	err := r.call()
	require.ErrorIs(r.t, err, circuitbreaker.ErrOpen)
	var rejected *middleware.RejectedError
	require.ErrorAs(r.t, err, &rejected)
	require.Equal(r.t, wait, rejected.RetryAfter)
	require.Equal(r.t, before, r.sent, "a refused request went upstream")
}

func (r *rig) state(want circuitbreaker.State) {
	r.t.Helper()
	require.Equal(r.t, want.String(), r.stage.State(host).String())
}

// report gives the breaker of the host.
func (r *rig) report() circuitbreaker.KeyStats {
	r.t.Helper()
	for _, k := range r.stage.Stats() {
		if k.Key == host {
			return k
		}
	}
	r.t.Fatalf("no breaker of %s in %+v", host, r.stage.Stats())
	return circuitbreaker.KeyStats{}
}

func fails(*http.Request) (*http.Response, error) { return nil, errConnection }

func status(code int, header ...string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader("ok")), Request: req}, nil
	}
}
