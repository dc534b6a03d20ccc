package timeout_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/timeout"
)

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

func TestNoHeadersInTimeIsAnError(t *testing.T) {
	for _, until := range []string{timeout.UntilConnect, timeout.UntilHeaders, timeout.UntilContent, timeout.UntilBody} {
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
				require.Equal(t, []slog.Attr{slog.String("until", until)}, events[0].Attrs)
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

// A base that pays no attention to its context answers after the limit.
func TestAnAnswerAfterTheLimitIsClosed(t *testing.T) {
	for _, until := range []string{timeout.UntilConnect, timeout.UntilHeaders, timeout.UntilContent} {
		t.Run(until, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				body := &closing{Reader: strings.NewReader("late")}
				deaf := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
					time.Sleep(time.Minute)
					return &http.Response{StatusCode: http.StatusOK, Body: body, Request: req}, nil
				})
				listening := func(next http.RoundTripper) http.RoundTripper {
					return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
						_ = req.Context().Done()
						return next.RoundTrip(req)
					})
				}
				_, err := middleware.Chain(deaf, newStage(t, time.Second, until, nil).Wrap, listening).RoundTrip(get(t))
				requireTimedOut(t, timedOut(time.Second, until), err)
				require.Equal(t, 1, body.closed)
			})
		})
	}
}
