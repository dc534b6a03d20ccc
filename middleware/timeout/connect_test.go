package timeout_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/timeout"
)

// blackHole is a dialer that nobody answers until the kernel gives up. net/http
// lets a dial go on without the request that it was for: a test that uses it in
// a bubble defers kernelGivesUp.
func blackHole(ctx context.Context, _, _ string) (net.Conn, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(2 * time.Minute):
		return nil, syscall.ETIMEDOUT
	}
}

func kernelGivesUp() { time.Sleep(2 * time.Minute) }

func TestNoConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer kernelGivesUp()
		start := time.Now()
		var seen observed
		var settled ends
		s := newStage(t, 5*time.Second, timeout.UntilConnect, &seen)
		req := get(t)
		req.Method = http.MethodPost
		_, err := middleware.Chain(&http.Transport{DialContext: blackHole}, settled.wrap, s.Wrap).RoundTrip(req)
		requireTimedOut(t, timedOut(5*time.Second, timeout.UntilConnect), err)
		require.EqualError(t, err, "timeout/attempt: no connection within 5s")
		require.Equal(t, 5*time.Second, time.Since(start))
		require.Len(t, seen.all(), 1)
		require.Equal(t, uint64(1), s.Stats().TimedOut)
		require.Equal(t, middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonTimeout, Processing: middleware.NeverSent},
			settled.only(t).Outcome, "so that a POST can be repeated")
	})
}

func TestAConnectionLiftsTheLimit(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(time.Minute):
			streaming(part{time.Minute, token})(w, r)
		case <-r.Context().Done():
		}
	}
	wire(t, slow, func(t *testing.T, base *http.Transport) {
		dials := 0
		dial := base.DialContext
		base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if dials++; dials > 1 {
				return blackHole(ctx, network, address)
			}
			time.Sleep(4 * time.Second)
			return dial(ctx, network, address)
		}
		rt := newStage(t, 5*time.Second, timeout.UntilConnect, nil).Wrap(base)
		for _, reused := range []bool{false, true} {
			start := time.Now()
			var conn httptrace.GotConnInfo
			req := get(t)
			req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
				GotConn: func(i httptrace.GotConnInfo) { conn = i },
			}))
			resp, err := rt.RoundTrip(req)
			require.NoError(t, err)
			require.NotNil(t, conn.Conn, "the caller's own hook is called too")
			require.Equal(t, reused, conn.Reused)
			b, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, token, string(b))
			require.NoError(t, resp.Body.Close())
			want := 2 * time.Minute
			if !reused {
				want += 4 * time.Second
			}
			require.Equal(t, want, time.Since(start))
			require.Same(t, req, resp.Request)
		}
	})
}

// A connection that others hold is none, however long it is open.
func TestTheWaitForAConnectionCounts(t *testing.T) {
	bubble(t, false, streaming(forever), func(t *testing.T, base *http.Transport) {
		base.MaxConnsPerHost = 1
		rt := newStage(t, 5*time.Second, timeout.UntilConnect, nil).Wrap(base)
		held, err := rt.RoundTrip(get(t))
		require.NoError(t, err)
		start := time.Now()
		_, err = rt.RoundTrip(get(t))
		requireTimedOut(t, timedOut(5*time.Second, timeout.UntilConnect), err)
		require.Equal(t, 5*time.Second, time.Since(start))
		require.NoError(t, held.Body.Close())
	})
}

// A base that doesn't tell of its connections may have sent the request.
func TestABaseThatDoesNotTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var settled ends
		s := newStage(t, 5*time.Second, timeout.UntilConnect, nil)
		_, err := middleware.Chain(hang(time.Hour), settled.wrap, s.Wrap).RoundTrip(get(t))
		requireTimedOut(t, timedOut(5*time.Second, timeout.UntilConnect), err)
		require.Equal(t, 5*time.Second, time.Since(start))
		require.Equal(t, middleware.MaybeProcessed, settled.only(t).Outcome.Processing)

		resp, err := s.Wrap(hang(4 * time.Second)).RoundTrip(get(t))
		require.NoError(t, err)
		time.Sleep(time.Hour)
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, "ok", string(b))
	})
}

// What the limit proves about the request depends on what the base tells of its connections.
func TestWhatNoConnectionProves(t *testing.T) {
	refusal := &middleware.RejectedError{Stage: "semaphore", Err: errors.New("waited too long"), Cause: context.DeadlineExceeded}
	for _, tt := range []struct {
		name string
		asks bool  // for a connection, before the limit
		gets bool  // one, just after it
		err  error // of the base; nil: that of the context
		want middleware.Outcome
	}{
		{"it asked and got none", true, false, nil, middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonTimeout, Processing: middleware.NeverSent}},
		{"it got one at the last moment", true, true, nil, middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonTimeout, Processing: middleware.MaybeProcessed}},
		{"it tells nothing", false, false, nil, middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonTimeout, Processing: middleware.MaybeProcessed}},
		{"a stage below refused", true, false, refusal, middleware.Outcome{Verdict: middleware.Neutral, Reason: middleware.ReasonRejected, Processing: middleware.NeverSent}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
					trace := httptrace.ContextClientTrace(req.Context())
					if tt.asks {
						trace.GetConn("upstream.test:80")
					}
					<-req.Context().Done()
					if tt.gets {
						trace.GotConn(httptrace.GotConnInfo{})
					}
					if tt.err != nil {
						return nil, tt.err
					}
					return nil, req.Context().Err()
				})
				var settled ends
				_, err := middleware.Chain(base, settled.wrap, newStage(t, time.Second, timeout.UntilConnect, nil).Wrap).RoundTrip(get(t))
				if tt.err != nil {
					require.Same(t, tt.err, err)
				} else {
					requireTimedOut(t, timedOut(time.Second, timeout.UntilConnect), err)
				}
				require.Equal(t, tt.want, settled.only(t).Outcome)
			})
		})
	}
}

// The context that carries the hooks is one that package context can derive from without a goroutine.
func TestTheHooksCostNoGoroutine(t *testing.T) {
	base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		before := runtime.NumGoroutine()
		ctx, cancel := context.WithCancel(req.Context())
		defer cancel()
		if now := runtime.NumGoroutine(); now > before {
			t.Errorf("%d goroutines, and %d before", now, before)
		}
		if middleware.FromContext(ctx) == nil || httptrace.ContextClientTrace(ctx) == nil {
			t.Error("no exchange, or no hooks")
		}
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
	})
	connect := newStage(t, time.Minute, timeout.UntilConnect, nil)
	for name, rt := range map[string]http.RoundTripper{
		"once":  middleware.Chain(base, connect.Wrap),
		"twice": middleware.Chain(base, newStage(t, time.Minute, timeout.UntilConnect, nil).Wrap, connect.Wrap),
		"in a context that a stage has derived": middleware.Chain(base, func(next http.RoundTripper) http.RoundTripper {
			return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
				ctx, cancel := context.WithCancel(req.Context())
				defer cancel()
				return next.RoundTrip(req.WithContext(ctx))
			})
		}, connect.Wrap),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rt.RoundTrip(get(t))
			require.NoError(t, err)
		})
	}
}

// A context that a stage has derived ends the request, with the hooks as without.
func TestADerivedContextEndsTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		derived := func(next http.RoundTripper) http.RoundTripper {
			return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
				ctx, cancel := context.WithTimeout(req.Context(), time.Second)
				defer cancel()
				return next.RoundTrip(req.WithContext(ctx))
			})
		}
		_, err := middleware.Chain(hang(time.Hour), derived, newStage(t, time.Minute, timeout.UntilConnect, nil).Wrap).RoundTrip(get(t))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, timeout.ErrTimeout)
		require.Equal(t, time.Second, time.Since(start))
	})
}

// A server that is too busy to accept: the kernel completes TCP's handshake, and nobody answers TLS's.
func TestAListenerThatNeverAccepts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	s := newStage(t, 50*time.Millisecond, timeout.UntilConnect, nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+l.Addr().String(), nil)
	require.NoError(t, err)
	start := time.Now()
	_, err = s.Wrap(base).RoundTrip(req)
	requireTimedOut(t, timedOut(50*time.Millisecond, timeout.UntilConnect), err)
	require.GreaterOrEqual(t, time.Since(start), 50*time.Millisecond)
}
