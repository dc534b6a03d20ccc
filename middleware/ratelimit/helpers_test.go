package ratelimit_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/ratelimit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// config gives a token each 100 ms, one at a time, also after a pause, and lets
// a request wait for an hour.
func config(change func(*ratelimit.Config)) ratelimit.Config {
	cfg := ratelimit.DefaultConfig()
	cfg.Requests, cfg.Burst, cfg.MaxWait, cfg.MaxPause, cfg.Ramp = 10, 1, time.Hour, time.Hour, 0
	if change != nil {
		change(&cfg)
	}
	return cfg
}

const tick = 100 * time.Millisecond // between two tokens of config

func newStage(t testing.TB, cfg ratelimit.Config, opts ...ratelimit.Option) *ratelimit.RateLimit {
	t.Helper()
	l, err := ratelimit.New(cfg, opts...)
	require.NoError(t, err)
	return l
}

// arrival is a request that came through, and when.
type arrival struct {
	path string
	at   time.Duration
}

// upstream notes what arrives, and answers at once: with 200, or as answer says.
type upstream struct {
	start  time.Time
	answer func(*http.Request) *http.Response

	mu sync.Mutex
	in []arrival
}

func newUpstream() *upstream { return &upstream{start: time.Now()} }

func (u *upstream) RoundTrip(req *http.Request) (*http.Response, error) {
	u.mu.Lock()
	u.in = append(u.in, arrival{strings.TrimPrefix(req.URL.Path, "/"), time.Since(u.start)})
	u.mu.Unlock()
	if u.answer != nil {
		if resp := u.answer(req); resp != nil {
			return resp, nil
		}
	}
	return respond(req, http.StatusOK, nil), nil
}

func (u *upstream) arrivals() []arrival {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.in)
}

func (u *upstream) paths() string {
	var paths []string
	for _, a := range u.arrivals() {
		paths = append(paths, a.path)
	}
	return strings.Join(paths, " ")
}

func (u *upstream) times() []time.Duration {
	var times []time.Duration
	for _, a := range u.arrivals() {
		times = append(times, a.at)
	}
	return times
}

func respond(req *http.Request, status int, header http.Header) *http.Response {
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader("ok")), Request: req}
}

func get(ctx context.Context, rt http.RoundTripper, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

// only gives the statistics of a stage that has seen a single key.
func only(t *testing.T, l *ratelimit.RateLimit) ratelimit.KeyStats {
	t.Helper()
	all := l.Stats()
	require.Len(t, all, 1)
	return all[0]
}

func rejection(t *testing.T, err error) *middleware.RejectedError {
	t.Helper()
	require.ErrorIs(t, err, middleware.ErrRejected)
	var rejected *middleware.RejectedError
	require.ErrorAs(t, err, &rejected)
	return rejected
}

// events notes what a stage reports.
type events struct {
	mu  sync.Mutex
	all []middleware.Event
}

func (e *events) Observe(_ context.Context, event middleware.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, event)
}

func (e *events) list() []middleware.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.all)
}

// dialError is what net.Dialer fails with: nothing was sent.
var dialError = net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}
