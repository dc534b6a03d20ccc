package timeout_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/timeout"
)

var untils = []string{timeout.UntilConnect, timeout.UntilHeaders, timeout.UntilContent, timeout.UntilProgress, timeout.UntilBody}

func TestCallersEarlierDeadlineWins(t *testing.T) {
	for _, until := range untils {
		t.Run(until, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start := time.Now()
				s := newStage(t, time.Minute, until, nil)
				_, err := s.Wrap(hang(time.Hour)).RoundTrip(get(t).WithContext(ctx))
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.NotErrorIs(t, err, timeout.ErrTimeout)
				require.Equal(t, time.Second, time.Since(start))
				require.Equal(t, timeout.Stats{Until: until}, s.Stats())
			})
		})
	}
}

// The caller's cancel is neutral; a stage's timeout is a failure (requirement 11).
func TestTheCallersCancelIsNoTimeout(t *testing.T) {
	for _, until := range untils {
		t.Run(until, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				var seen observed
				var settled ends
				s := newStage(t, time.Minute, until, &seen)
				_, err := middleware.Chain(hang(time.Hour), settled.wrap, s.Wrap).RoundTrip(get(t).WithContext(ctx))
				require.ErrorIs(t, err, context.Canceled)
				require.Equal(t, middleware.Neutral, settled.only(t).Outcome.Verdict)
				require.Empty(t, seen.all())
			})
		})
	}
}

func TestStagesBelowSeeTheEarliestLimitAsTheirDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen time.Duration
		base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			seen = 0
			if at, ok := req.Context().Deadline(); ok {
				seen = time.Until(at)
			}
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
		})
		for until, want := range map[string]time.Duration{
			timeout.UntilConnect: time.Second, timeout.UntilHeaders: time.Second, timeout.UntilContent: time.Second,
			timeout.UntilBody: time.Second, timeout.UntilProgress: time.Minute,
		} {
			rt := middleware.Chain(base, newStage(t, time.Minute, timeout.UntilBody, nil).Wrap, newStage(t, time.Second, until, nil).Wrap)
			_, err := rt.RoundTrip(get(t))
			require.NoError(t, err)
			require.Equal(t, want, seen, until)
		}
	})
}

func TestNoTimeLeftRefusesAtOnce(t *testing.T) {
	for _, until := range untils {
		t.Run(until, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				never := middleware.RoundTripperFunc(func(*http.Request) (*http.Response, error) {
					t.Error("was sent")
					return nil, errors.New("was sent")
				})
				var seen observed
				s := newStage(t, time.Minute, until, &seen)
				body := &closing{Reader: strings.NewReader("x")}
				send := func(ctx context.Context, rt http.RoundTripper) error {
					start := time.Now()
					req := get(t).WithContext(ctx)
					req.Body = body
					_, err := rt.RoundTrip(req)
					require.True(t, time.Since(start) <= 2*time.Second)
					return err
				}

				ctx, cancel := context.WithDeadline(t.Context(), time.Now())
				defer cancel()
				err := send(ctx, s.Wrap(never))
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorIs(t, err, timeout.ErrTooLate)
				require.ErrorIs(t, err, middleware.ErrRejected)
				require.NotErrorIs(t, err, timeout.ErrTimeout)
				require.EqualError(t, err, "timeout/attempt: no time is left: context deadline exceeded")
				require.Equal(t, 1, body.closed)

				// A stage in between took all the time of a limit further out.
				total, err := timeout.New(timeout.Config{Limit: time.Second, Until: timeout.UntilBody}, timeout.WithReporter(middleware.Reporter{Stage: "timeout/total"}))
				require.NoError(t, err)
				dawdling := func(next http.RoundTripper) http.RoundTripper {
					return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
						time.Sleep(2 * time.Second)
						return next.RoundTrip(req)
					})
				}
				err = send(t.Context(), middleware.Chain(never, total.Wrap, dawdling, s.Wrap))
				require.ErrorIs(t, err, timeout.ErrTooLate)
				require.EqualError(t, err, "timeout/attempt: no time is left: timeout/total: not complete within 1s")
				require.Equal(t, 2, body.closed)

				require.Equal(t, timeout.Stats{Until: until, Rejected: 2}, s.Stats())
				require.Len(t, seen.all(), 2)
				require.Equal(t, timeout.EventRejected, seen.all()[0].Kind)
				require.Equal(t, err, seen.all()[1].Err)
			})
		})
	}
}

type closing struct {
	io.Reader
	closed int
}

func (c *closing) Close() error {
	c.closed++
	return nil
}
