package hedge_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/hedge"
)

var errFull = &middleware.RejectedError{Stage: "semaphore", Err: errors.New("queue is full")}

// A stage further in may refuse an attempt: that says nothing about the other one.
func TestRefusedAttempts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		steps  []step
		took   time.Duration
		status int
		err    error
		want   hedge.KeyStats
	}{
		{
			name:  "a refused copy is forgotten",
			steps: []step{{after: 3 * time.Second, status: 200}, {err: errFull}},
			took:  3 * time.Second, status: 200, want: hedge.KeyStats{Requests: 1, Refused: 1},
		},
		{
			name:  "a refused first attempt waits for the copy",
			steps: []step{{after: 2 * time.Second, err: errFull}, {after: 3 * time.Second, status: 200}},
			took:  4 * time.Second, status: 200, want: hedge.KeyStats{Requests: 1, Sent: 1, Won: 1},
		},
		{
			name:  "both refused: the call is",
			steps: []step{{after: 2 * time.Second, err: errFull}, {after: 2 * time.Second, err: errFull}},
			took:  3 * time.Second, err: errFull, want: hedge.KeyStats{Requests: 1, Refused: 1},
		},
		{
			// Requirement 10: ErrRejected holds only if no attempt went upstream.
			name:  "the first refused, and the copy failed: the call is not refused",
			steps: []step{{after: 2 * time.Second, err: errFull}, {after: 2 * time.Second, err: errBroken}},
			took:  3 * time.Second, err: errBroken, want: hedge.KeyStats{Requests: 1, Sent: 1, Lost: 1},
		},
		{
			name:  "in the other order",
			steps: []step{{after: 3 * time.Second, err: errFull}, {after: time.Second, status: 500}},
			took:  3 * time.Second, status: 500, want: hedge.KeyStats{Requests: 1, Sent: 1, Lost: 1},
		},
		{
			name:  "the copy failed with an answer too long to keep",
			steps: []step{{after: 3 * time.Second, err: errFull}, {after: time.Second, status: 500, body: string(make([]byte, 65<<10))}},
			took:  3 * time.Second, err: hedge.ErrNotKept, want: hedge.KeyStats{Requests: 1, Sent: 1, Lost: 1},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stage := newStage(t, config(nil))
				base := does(tt.steps...)
				start := time.Now()
				resp, err := stage.Wrap(base).RoundTrip(request(t.Context(), t))
				require.Equal(t, tt.took, time.Since(start))
				if tt.err != nil {
					require.ErrorIs(t, err, tt.err)
					require.Equal(t, tt.err == error(errFull), errors.Is(err, middleware.ErrRejected))
				} else {
					require.NoError(t, err)
					require.Equal(t, tt.status, resp.StatusCode)
					text(t, resp)
				}
				require.NoError(t, stage.Stop(t.Context()))
				tt.want.Key, tt.want.Delay = key, time.Second
				require.Equal(t, tt.want, stats(stage))
				require.Equal(t, base.opened.Load(), base.closed.Load())
			})
		})
	}
}

func TestARefusedCopyCostsNoBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newStage(t, config(func(c *hedge.Config) { c.Budget, c.BudgetFloor = 0, 1 }))
		for range 5 {
			resp, err := stage.Wrap(does(step{after: 1500 * time.Millisecond, status: 200}, step{err: errFull})).RoundTrip(request(t.Context(), t))
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
		}
		require.EqualValues(t, 5, stats(stage).Refused)
		require.Zero(t, stats(stage).Withheld)
	})
}

// Requirement 5: a panic below goes on up, in the caller's goroutine.
func TestPanics(t *testing.T) {
	value := &struct{ text string }{"oops"}
	t.Run("of the first attempt before the delay", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rt := newStage(t, config(nil)).Wrap(does(step{panics: value}))
			require.PanicsWithValue(t, value, func() { _, _ = rt.RoundTrip(request(t.Context(), t)) })
		})
	})
	t.Run("of the first attempt with a copy in flight, which is cancelled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var v verdicts
			stage := newStage(t, config(nil))
			rt := middleware.Chain(does(step{after: 2 * time.Second, panics: value}), stage.Wrap, v.watch)
			require.PanicsWithValue(t, value, func() { _, _ = rt.RoundTrip(request(t.Context(), t)) })
			require.NoError(t, stage.Stop(t.Context()))
			require.Equal(t, map[uint64][]middleware.Verdict{1: {middleware.Neutral}, 2: {middleware.Neutral}}, v.seen())
		})
	})
	t.Run("of the first attempt when a copy has won, whose answer is closed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			stage := newStage(t, config(nil))
			base := does(step{after: 3 * time.Second, panics: value, deaf: true}, step{after: time.Second, status: 200})
			require.PanicsWithValue(t, value, func() { _, _ = stage.Wrap(base).RoundTrip(request(t.Context(), t)) })
			require.NoError(t, stage.Stop(t.Context()))
			require.EqualValues(t, 1, base.closed.Load())
		})
	})
	t.Run("of a copy, which cancels the first attempt", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			stage := newStage(t, config(nil))
			rt := stage.Wrap(does(step{after: time.Minute}, step{after: time.Second, panics: value}))
			require.PanicsWithValue(t, value, func() { _, _ = rt.RoundTrip(request(t.Context(), t)) })
			require.Equal(t, 2*time.Second, time.Since(start))
			require.NoError(t, stage.Stop(t.Context()))
			require.Zero(t, stage.Stats().InFlight)
		})
	})
	t.Run("of a copy after the call is an event", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var e events
			stage := newStage(t, config(nil), e.option())
			resp, err := stage.Wrap(does(step{after: 2 * time.Second, status: 200}, step{after: time.Minute, panics: value, deaf: true})).
				RoundTrip(request(t.Context(), t))
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.NoError(t, stage.Stop(t.Context()))
			require.Equal(t, []string{"hedged", "panicked"}, e.kinds())
			require.EqualError(t, e.all[1].Err, "panic with a *struct { text string }")
		})
	})
	t.Run("of GetBody", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			stage := newStage(t, config(nil))
			req := request(t.Context(), t)
			req.Method = "QUERY"
			withBody(10, true)(req)
			req.GetBody = func() (io.ReadCloser, error) { panic(value) }
			require.PanicsWithValue(t, value, func() { _, _ = stage.Wrap(does(step{after: time.Minute})).RoundTrip(req) })
			require.NoError(t, stage.Stop(t.Context()))
			require.Zero(t, stage.Stats().InFlight)
		})
	})
	t.Run("Goexit in a copy ends the caller's goroutine", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
				if attemptOf(req) == 2 {
					runtime.Goexit()
				}
				return hangs(req)
			})
			returned, gone := false, make(chan struct{})
			rt := newStage(t, config(nil)).Wrap(base)
			go func() {
				defer close(gone)
				_, _ = rt.RoundTrip(request(context.Background(), t))
				returned = true
			}()
			<-gone
			require.False(t, returned)
		})
	})
}
