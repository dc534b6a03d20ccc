package semaphore_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/semaphore"
)

func TestPrioritiesAndTenants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{d: time.Second}
		rt := newStage(t, config(nil), semaphore.WithTenant(func(req *http.Request) string { return req.URL.Query().Get("tenant") })).Wrap(up)
		var calls sync.WaitGroup
		for _, c := range []struct {
			name, tenant string
			priority     int
		}{{"first", "", 0}, {"a1", "a", 0}, {"a2", "a", 0}, {"b1", "b", 0}, {"low", "b", -1}, {"high", "a", 1}} {
			calls.Go(func() {
				_ = get(middleware.WithPriority(t.Context(), c.priority), rt, "http://a/"+c.name+"?tenant="+c.tenant)
			})
			synctest.Wait()
		}
		calls.Wait()
		require.Equal(t, []string{"first", "high", "b1", "a1", "a2", "low"}, up.in)
	})
}

func TestAFullQueueMakesRoomForWhatMattersMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{d: time.Second}
		rt := newStage(t, config(func(c *semaphore.Config) { c.Queue = 1 })).Wrap(up)
		var calls sync.WaitGroup
		calls.Go(func() { require.NoError(t, get(t.Context(), rt, "http://a/first")) })
		synctest.Wait()
		displaced := make(chan error, 1)
		go func() { displaced <- get(t.Context(), rt, "http://a/second") }()
		synctest.Wait()
		require.ErrorIs(t, get(t.Context(), rt, "http://a/third"), semaphore.ErrQueueFull)
		calls.Go(func() {
			require.NoError(t, get(middleware.WithPriority(t.Context(), 1), rt, "http://a/important"))
		})
		require.ErrorIs(t, <-displaced, semaphore.ErrQueueFull)
		calls.Wait()
		require.Equal(t, []string{"first", "important"}, up.in)
	})
}

// Requirement 9: who would only be served too late is told at once, and when
// it makes sense to come back.
func TestHopelessWaitersAreRefusedOnArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, config(nil))
		rt := s.Wrap(&upstream{d: time.Second})
		require.NoError(t, get(t.Context(), rt, "http://a/")) // now it is known how long that takes
		var calls sync.WaitGroup
		for range 30 { // an hour of patience each
			calls.Go(func() { require.NoError(t, get(t.Context(), rt, "http://a/")) })
		}
		synctest.Wait()
		start := time.Now()
		require.NoError(t, s.Update(config(func(c *semaphore.Config) { c.Ageing = time.Hour })))
		ctx, cancel := context.WithTimeout(middleware.WithPriority(t.Context(), -1), 15*time.Second)
		defer cancel()
		err := get(ctx, rt, "http://a/") // behind all of them
		var rejected *middleware.RejectedError
		require.ErrorAs(t, err, &rejected)
		require.ErrorIs(t, err, semaphore.ErrTooLate)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Zero(t, time.Since(start), "at once, not after 15 s")
		require.Greater(t, rejected.RetryAfter, 15*time.Second)
		ctx, cancel = context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		require.NoError(t, get(ctx, rt, "http://a/"), "before all of them")
		calls.Wait()
	})
}

func TestWithoutDeadlinesADelayThatStandsIsShed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{d: 100 * time.Millisecond}
		s := newStage(t, config(func(c *semaphore.Config) { c.TargetWait = 500 * time.Millisecond }))
		rt := s.Wrap(up)
		var calls sync.WaitGroup
		var mu sync.Mutex
		shed := 0
		for i := range 40 { // twice as many as can be served
			calls.Go(func() {
				if err := get(t.Context(), rt, fmt.Sprint("http://a/", i)); err != nil {
					require.ErrorIs(t, err, semaphore.ErrShed)
					mu.Lock()
					shed++
					mu.Unlock()
				}
			})
			time.Sleep(50 * time.Millisecond)
		}
		calls.Wait()
		require.Greater(t, shed, 5)
		require.Equal(t, 40, shed+len(up.in))
	})
}

// A stage further out can give up what waits here, or bound it when it waits already.
func TestAStageFurtherOutEndsTheWait(t *testing.T) {
	errLimit := errors.New("a limit of that stage")
	for name, tt := range map[string]struct {
		end   func(*middleware.Exchange)
		after time.Duration
		want  error
	}{
		"by giving it up": {(*middleware.Exchange).Cancel, time.Second, semaphore.ErrCanceled},
		"with a limit":    {func(ex *middleware.Exchange) { ex.Limit(time.Now().Add(time.Second), errLimit) }, 2 * time.Second, semaphore.ErrTooLate},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, config(nil))
				outer := func(next http.RoundTripper) http.RoundTripper {
					return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
						ex, inner := middleware.Join(req)
						defer ex.Leave(req, &resp, &err)
						child, attempt := ex.Child(inner)
						defer child.Leave(inner, &resp, &err)
						if req.URL.Path == "/waits" {
							time.AfterFunc(time.Second, func() { tt.end(child) })
						}
						return next.RoundTrip(attempt)
					})
				}
				rt := middleware.Chain(&upstream{d: time.Minute}, outer, s.Wrap)
				var first sync.WaitGroup
				first.Go(func() { require.NoError(t, get(t.Context(), rt, "http://a/first")) })
				synctest.Wait()
				start := time.Now()
				require.ErrorIs(t, get(t.Context(), rt, "http://a/waits"), tt.want)
				require.Equal(t, tt.after, time.Since(start))
				_, waiting := inUse(s)
				require.Zero(t, waiting)
				first.Wait()
			})
		})
	}
}
