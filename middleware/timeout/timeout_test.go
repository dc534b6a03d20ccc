package timeout_test

import (
	"context"
	"errors"
	"io"
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

// hang answers after d, unless the request's context ends before.
func hang(d time.Duration) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		select {
		case <-req.Context().Done():
			return nil, req.Context().Err()
		case <-time.After(d):
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("ok")), Request: req}, nil
		}
	})
}

func newStage(t *testing.T, limit time.Duration, until string, o middleware.Observer) *timeout.Timeout {
	t.Helper()
	s, err := timeout.New(timeout.Config{Limit: limit, Until: until}, timeout.WithReporter(middleware.Reporter{Stage: "timeout/attempt", Observer: o}))
	require.NoError(t, err)
	return s
}

func TestNoHeadersInTimeIsAnError(t *testing.T) {
	for _, until := range []string{timeout.UntilHeaders, timeout.UntilBody} {
		t.Run(until, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var events []middleware.Event
				s := newStage(t, 3*time.Second, until, middleware.ObserverFunc(func(_ context.Context, e middleware.Event) { events = append(events, e) }))
				rt := s.Wrap(hang(time.Hour))
				req, _ := http.NewRequest("GET", "http://a/", nil)
				start := time.Now()
				resp, err := rt.RoundTrip(req)
				require.Nil(t, resp)
				require.Equal(t, 3*time.Second, time.Since(start))
				require.ErrorIs(t, err, timeout.ErrTimeout)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				var te *timeout.Error
				require.ErrorAs(t, err, &te)
				require.True(t, te.Timeout())
				require.Equal(t, timeout.Error{Stage: "timeout/attempt", Limit: 3 * time.Second, Until: until}, *te)
				require.Len(t, events, 1)
				require.Equal(t, timeout.EventTimedOut, events[0].Kind)
				require.Equal(t, "timeout/attempt", events[0].Stage)
			})
		})
	}
}

func TestBodyAfterTheLimit(t *testing.T) {
	for until, cut := range map[string]bool{timeout.UntilHeaders: false, timeout.UntilBody: true} {
		t.Run(until, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pr, pw := io.Pipe()
				base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
					context.AfterFunc(req.Context(), func() { pw.CloseWithError(req.Context().Err()) })
					return &http.Response{StatusCode: 200, Body: pr, Request: req}, nil
				})
				req, _ := http.NewRequest("GET", "http://a/", nil)
				resp, err := newStage(t, time.Second, until, nil).Wrap(base).RoundTrip(req)
				require.NoError(t, err)
				var writer sync.WaitGroup
				writer.Go(func() {
					time.Sleep(10 * time.Second)
					_, _ = pw.Write([]byte("late"))
					pw.Close()
				})
				b, err := io.ReadAll(resp.Body)
				require.NoError(t, resp.Body.Close())
				writer.Wait()
				if cut {
					require.ErrorIs(t, err, timeout.ErrTimeout)
				} else {
					require.NoError(t, err)
					require.Equal(t, "late", string(b))
				}
			})
		})
	}
}

func TestCallersEarlierDeadlineWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, "GET", "http://a/", nil)
		start := time.Now()
		_, err := newStage(t, time.Minute, timeout.UntilHeaders, nil).Wrap(hang(time.Hour)).RoundTrip(req)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, timeout.ErrTimeout)
		require.Equal(t, time.Second, time.Since(start))
	})
}

func TestRefusalBelowIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusal := &middleware.RejectedError{Stage: "semaphore", Err: errors.New("waited too long"), Cause: context.DeadlineExceeded}
		base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, refusal
		})
		req, _ := http.NewRequest("GET", "http://a/", nil)
		_, err := newStage(t, time.Second, timeout.UntilBody, nil).Wrap(base).RoundTrip(req)
		require.Same(t, error(refusal), err)
	})
}

func TestTwoLimitsOnOneExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		total := newStage(t, 2*time.Second, timeout.UntilBody, nil)
		attempt := newStage(t, 5*time.Second, timeout.UntilHeaders, nil)
		start := time.Now()
		req, _ := http.NewRequest("GET", "http://a/", nil)
		_, err := middleware.Chain(hang(time.Hour), total.Wrap, attempt.Wrap).RoundTrip(req)
		var te *timeout.Error
		require.ErrorAs(t, err, &te)
		require.Equal(t, 2*time.Second, te.Limit)
		require.Equal(t, 2*time.Second, time.Since(start))
	})
}

func TestUpdateHoldsForTheNextCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, time.Second, timeout.UntilHeaders, nil)
		require.Error(t, s.Update(timeout.Config{Limit: -1, Until: "never"}))
		require.NoError(t, s.Update(timeout.Config{Limit: time.Minute, Until: timeout.UntilHeaders}))
		req, _ := http.NewRequest("GET", "http://a/", nil)
		start := time.Now()
		_, err := s.Wrap(hang(time.Hour)).RoundTrip(req)
		require.ErrorIs(t, err, timeout.ErrTimeout)
		require.Equal(t, time.Minute, time.Since(start))
	})
}

func TestConfiguration(t *testing.T) {
	require.NoError(t, timeout.DefaultConfig().Validate())
	_, err := timeout.New(timeout.Config{})
	require.ErrorContains(t, err, "DefaultConfig")
	_, err = timeout.New(timeout.Config{Limit: -time.Second, Until: "x"})
	require.ErrorContains(t, err, "limit: -1s")
	require.ErrorContains(t, err, `until: "x" is unknown`)
}
