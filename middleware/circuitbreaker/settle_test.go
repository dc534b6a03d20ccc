package circuitbreaker_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
	"github.com/headgate-go/headgate/middleware/timeout"
)

// Requirement 11: the caller's cancel is neutral.
func TestCancelsLeaveTheBreakerClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.bad(9)
		for range 100 {
			require.ErrorIs(t, r.hang().stop(), context.Canceled)
		}
		r.state(circuitbreaker.Closed)
		require.EqualValues(t, 9, r.report().Calls)
		require.EqualValues(t, 9, r.report().Consecutive, "a cancel is no success, either")
	})
}

// Requirement 11: cancelling a half-open probe neither closes nor strands the breaker.
func TestACancelledProbeGivesItsPlaceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.bad(10)
		time.Sleep(5 * time.Second)
		for range 3 {
			probe := r.hang()
			r.refused(30 * time.Second)
			require.ErrorIs(t, probe.stop(), context.Canceled)
			r.state(circuitbreaker.HalfOpen)
		}
		r.good(1)
		r.state(circuitbreaker.Closed)
	})
}

func TestARefusalBelowGivesTheProbesPlaceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.bad(10)
		time.Sleep(5 * time.Second)
		r.answer = refuses
		require.ErrorIs(t, r.call(), middleware.ErrRejected)
		r.state(circuitbreaker.HalfOpen)
		r.good(1)
		r.state(circuitbreaker.Closed)
	})
}

// Requirement 11: a stage's timeout is a failure.
func TestATimeoutBelowIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		limit, err := timeout.New(timeout.Config{Limit: time.Second, Until: timeout.UntilHeaders})
		require.NoError(t, err)
		never := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})
		rt := middleware.Chain(never, r.stage.Wrap, limit.Wrap)
		for range 10 {
			_, err := rt.RoundTrip(r.request(t.Context()))
			require.ErrorIs(t, err, timeout.ErrTimeout)
		}
		r.state(circuitbreaker.Open)
	})
}

// Requirement 5: a panic below restores the probe and goes on up.
func TestAPanicBelowGivesTheProbesPlaceBack(t *testing.T) {
	for name, change := range map[string]func(*circuitbreaker.Config){
		"without slow calls": nil,
		"with slow calls":    func(c *circuitbreaker.Config) { c.SlowCall = time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, change)
				r.bad(10)
				time.Sleep(5 * time.Second)
				r.answer = func(*http.Request) (*http.Response, error) { panic("below") }
				require.PanicsWithValue(t, "below", func() { _ = r.call() })
				r.state(circuitbreaker.HalfOpen)
				r.good(1)
				r.state(circuitbreaker.Closed)
				require.PanicsWithValue(t, "below", func() {
					r.answer = func(*http.Request) (*http.Response, error) { panic("below") }
					_ = r.call()
				})
				require.Zero(t, r.report().Calls)
			})
		})
	}
}

// answering gives a 200 with the body.
func answering(body io.ReadCloser) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: body, Request: req}, nil
	}
}

var errCut = errors.New("cut off")

// Requirement 21: a body that fails midway reaches the breaker as a failure.
func TestABodyThatBreaksOffIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		for range 10 {
			pr, pw := io.Pipe()
			r.answer = answering(pr)
			resp, err := r.rt.RoundTrip(r.request(t.Context()))
			require.NoError(t, err)
			r.state(circuitbreaker.Closed)
			pw.CloseWithError(errCut)
			require.ErrorIs(t, read(resp, nil), errCut)
		}
		r.state(circuitbreaker.Open)
	})
}

func TestACallCountsWhenItsBodyEnds(t *testing.T) {
	for name, end := range map[string]func(*http.Response) error{
		"read to the end": func(resp *http.Response) error { return read(resp, nil) },
		"closed early":    func(resp *http.Response) error { return resp.Body.Close() },
		"closed twice":    func(resp *http.Response) error { return errors.Join(resp.Body.Close(), resp.Body.Close()) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			r.answer = status(http.StatusInternalServerError)
			resp, err := r.rt.RoundTrip(r.request(t.Context()))
			require.NoError(t, err)
			require.Zero(t, r.report().Calls)
			require.NoError(t, end(resp))
			require.EqualValues(t, 1, r.report().Calls)
			require.EqualValues(t, 1, r.report().Failures)
		})
	}
}

// Requirement 4: an abandoned body does not hold a probe's place for ever.
func TestAProbeWhoseBodyIsAbandonedEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.bad(10)
		time.Sleep(5 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		r.answer = status(http.StatusOK)
		resp, err := r.rt.RoundTrip(r.request(ctx))
		require.NoError(t, err)
		r.refused(30 * time.Second)
		cancel()
		synctest.Wait()
		r.good(1)
		r.state(circuitbreaker.Closed)
		require.NoError(t, resp.Body.Close())
	})
}

func TestABodyCutOnTheWireIsAFailure(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half of it")
	}))
	defer srv.Close()
	s, err := circuitbreaker.New(config(nil))
	require.NoError(t, err)
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	client := &http.Client{Transport: s.Wrap(base)}
	for range 10 {
		require.ErrorIs(t, read(client.Get(srv.URL)), io.ErrUnexpectedEOF)
	}
	_, err = client.Get(srv.URL)
	require.ErrorIs(t, err, circuitbreaker.ErrOpen)
}
