package middleware_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

// awaiting has an attempt wait for its turn as a queue does that looks again
// after an hour, and tells how long that took and how it ended.
func awaiting(t *testing.T, ctx context.Context, during func(ex, child *middleware.Exchange, turn chan struct{})) (time.Duration, error) {
	ex, req, end := joined(ctx, t)
	defer end()
	child, _ := ex.Child(req)
	turn := make(chan struct{}, 1)
	start := time.Now()
	go func() {
		time.Sleep(time.Second)
		during(ex, child, turn)
	}()
	child.Await(child, turn, start.Add(time.Hour))
	synctest.Wait()
	return time.Since(start), child.Err()
}

func TestAwaitEndsWith(t *testing.T) {
	for _, tt := range []struct {
		name   string
		during func(ex, child *middleware.Exchange, turn chan struct{}, cancel func())
		after  time.Duration
		err    error
	}{
		{"its turn", func(_, _ *middleware.Exchange, turn chan struct{}, _ func()) { turn <- struct{}{} }, time.Second, nil},
		{"the caller's cancel", func(_, _ *middleware.Exchange, _ chan struct{}, cancel func()) { cancel() }, time.Second, context.Canceled},
		{"the attempt's", func(_, child *middleware.Exchange, _ chan struct{}, _ func()) { child.Cancel() }, time.Second, context.Canceled},
		{"the call's", func(ex, _ *middleware.Exchange, _ chan struct{}, _ func()) { ex.Cancel() }, time.Second, context.Canceled},
		{"the caller's cancel, when somebody watches it by now", func(_, child *middleware.Exchange, _ chan struct{}, cancel func()) {
			child.Done()
			cancel()
		}, time.Second, context.Canceled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				after, err := awaiting(t, ctx, func(ex, child *middleware.Exchange, turn chan struct{}) { tt.during(ex, child, turn, cancel) })
				require.Equal(t, tt.after, after)
				require.Equal(t, tt.err, err)
			})
		})
	}
}

func TestAwaitEndsWithALimit(t *testing.T) {
	minute := func(e *middleware.Exchange) { e.Limit(time.Now().Add(time.Minute), errLimit) }
	for _, tt := range []struct {
		name string
		set  func(ex, child *middleware.Exchange)
	}{
		{"of the attempt", func(_, child *middleware.Exchange) { minute(child) }},
		{"of the call", func(ex, _ *middleware.Exchange) { minute(ex) }},
		{"that is moved forward", func(ex, _ *middleware.Exchange) {
			ex.Limit(time.Now().Add(2*time.Hour), errLimit)
			minute(ex)
		}},
	} {
		for _, when := range []time.Duration{0, time.Second} {
			t.Run(tt.name+", set after "+when.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ex, req, end := joined(t.Context(), t)
					defer end()
					child, _ := ex.Child(req)
					if when == 0 {
						tt.set(ex, child)
					} else {
						time.AfterFunc(when, func() { tt.set(ex, child) })
					}
					start := time.Now()
					child.Await(child, make(chan struct{}, 1), start.Add(time.Hour))
					require.Equal(t, when+time.Minute, time.Since(start))
					require.Equal(t, context.DeadlineExceeded, child.Err())
					require.Equal(t, errLimit, child.Cause())
				})
			})
		}
	}
}

func TestAwaitReturnsAtOnceFromAnEndedContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex, _, end := joined(t.Context(), t)
		ex.Cancel()
		ex.Await(ex, make(chan struct{}, 1), time.Now().Add(time.Hour))
		end()
		ex.Await(ex, make(chan struct{}, 1), time.Now().Add(time.Hour))
	})
}

func TestAwaitLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex, _, end := joined(t.Context(), t)
		turn := make(chan struct{}, 1)
		turn <- struct{}{}
		ex.Await(ex, turn, time.Now().Add(time.Hour))
		end()
		require.Empty(t, turn, "it waits no longer")
	})
}

// Neither the caller's context nor a limit that comes after the stage looks by
// itself is watched, which is what makes waiting cheap.
func TestAwaitAllocatesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	turn, later := make(chan struct{}, 1), time.Now().Add(time.Hour)
	call := func(await bool) float64 {
		return testing.AllocsPerRun(100, func() {
			ex, _, end := joined(ctx, t)
			ex.Limit(later.Add(time.Hour), errLimit)
			if await {
				turn <- struct{}{}
				ex.Await(ex, turn, later)
			}
			end()
		})
	}
	require.Equal(t, call(false), call(true))
}
