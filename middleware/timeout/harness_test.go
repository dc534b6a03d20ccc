package timeout_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/timeout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newStage(t testing.TB, limit time.Duration, until string, o middleware.Observer) *timeout.Timeout {
	t.Helper()
	s, err := timeout.New(timeout.Config{Limit: limit, Until: until}, timeout.WithReporter(middleware.Reporter{Stage: "timeout/attempt", Observer: o}))
	require.NoError(t, err)
	return s
}

// timedOut is the error of a stage that newStage makes.
func timedOut(limit time.Duration, until string) timeout.Error {
	return timeout.Error{Stage: "timeout/attempt", Limit: limit, Until: until}
}

func requireTimedOut(t testing.TB, want timeout.Error, err error) {
	t.Helper()
	var got *timeout.Error
	require.ErrorAs(t, err, &got)
	require.Equal(t, want, *got)
}

func get(t testing.TB) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://upstream.test/", nil)
	require.NoError(t, err)
	return req
}

// wire runs a test in a bubble for HTTP/1.1 and HTTP/2, with net/http's own
// client and server on the two ends of a connection that exists in memory only,
// so that its times are exact.
func wire(t *testing.T, handler http.HandlerFunc, test func(t *testing.T, base *http.Transport)) {
	t.Run("HTTP/1.1", func(t *testing.T) { bubble(t, false, handler, test) })
	t.Run("HTTP/2", func(t *testing.T) { bubble(t, true, handler, test) })
}

func bubble(t *testing.T, http2 bool, handler http.HandlerFunc, test func(t *testing.T, base *http.Transport)) {
	synctest.Test(t, func(t *testing.T) {
		var protocols http.Protocols
		protocols.SetHTTP1(!http2)
		protocols.SetUnencryptedHTTP2(http2)
		l := &listener{conns: make(chan net.Conn), closed: make(chan struct{})}
		server := &http.Server{Handler: handler, Protocols: &protocols}
		var serving sync.WaitGroup
		serving.Go(func() { _ = server.Serve(l) })
		base := &http.Transport{Protocols: &protocols, DialContext: l.dial}
		defer func() {
			base.CloseIdleConnections()
			_ = server.Close()
			serving.Wait()
		}()
		test(t, base)
	})
}

type listener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *listener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

// part is something that the upstream sends after a time; nothing, then it only waits.
type part struct {
	after time.Duration
	data  string
}

const (
	alive = "." // what provider knows as a keep-alive
	token = "token"
)

// streaming answers at once, sends the parts and, if the last says so, never ends.
func streaming(parts ...part) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		flush := http.NewResponseController(w)
		_ = flush.Flush()
		for _, p := range parts {
			select {
			case <-time.After(p.after):
			case <-r.Context().Done():
				return
			}
			_, _ = io.WriteString(w, p.data)
			_ = flush.Flush()
		}
	}
}

func repeat(n int, p part) []part {
	all := make([]part, n)
	for i := range all {
		all[i] = p
	}
	return all
}

var forever = part{after: 1000 * time.Hour}

// provider is a provider stage: it knows a keep-alive from content.
func provider(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		ex.ReportsProgress()
		resp, err = next.RoundTrip(inner)
		if err == nil {
			resp.Body = &reporting{resp.Body, ex}
		}
		return resp, err
	})
}

type reporting struct {
	io.ReadCloser
	ex *middleware.Exchange
}

func (r *reporting) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if strings.Trim(string(p[:n]), alive) != "" {
		r.ex.Progress()
	}
	return n, err
}

// observed collects events.
type observed struct {
	mu     sync.Mutex
	events []middleware.Event
}

func (o *observed) Observe(_ context.Context, e middleware.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
}

func (o *observed) all() []middleware.Event {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.events
}

// ends is a stage that notes what the attempt meant.
type ends struct {
	mu  sync.Mutex
	all []middleware.End
}

func (e *ends) Settle(_ uint64, end middleware.End) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, end)
}

func (e *ends) wrap(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		ex.OnEnd(e, 0)
		return next.RoundTrip(inner)
	})
}

func (e *ends) only(t testing.TB) middleware.End {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	require.Len(t, e.all, 1)
	return e.all[0]
}
