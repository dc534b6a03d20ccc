package hedge_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/hedge"
)

// takes is a base whose first attempts take d, and whose copies hang.
func takes(d time.Duration) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		if attemptOf(req) > 1 {
			return hangs(req)
		}
		time.Sleep(d)
		return instant.RoundTrip(req)
	})
}

func send(t *testing.T, rt http.RoundTripper) {
	t.Helper()
	resp, err := rt.RoundTrip(request(t.Context(), t))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

func TestTheDelayIsLearned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newStage(t, config(func(c *hedge.Config) { c.Percentile = 0.95 }))
		for i := range 31 {
			send(t, stage.Wrap(takes(time.Duration(i+1)*time.Millisecond)))
		}
		require.Equal(t, time.Second, stats(stage).Delay, "too few samples")
		send(t, stage.Wrap(takes(32*time.Millisecond)))
		require.Equal(t, 30*time.Millisecond, stats(stage).Delay, "the 95th percentile of 1 to 32 ms")

		base := does(step{after: time.Minute}, step{status: 200})
		start := time.Now()
		send(t, stage.Wrap(base))
		require.Equal(t, 30*time.Millisecond, time.Since(start))
		require.Equal(t, 2, base.attempts())

		for range 160 {
			send(t, stage.Wrap(takes(time.Minute)))
		}
		require.Equal(t, time.Second, stats(stage).Delay, "never longer than delay")
	})
}

// A first attempt that was beaten would have taken longer than it was given.
// Were it left out, the delay would creep down with every copy that wins.
func TestBeatenAttemptsCountAsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newStage(t, config(func(c *hedge.Config) { c.Percentile, c.MinSamples = 0.8, 10 }))
		slow := func() http.RoundTripper { return does(step{after: time.Minute}, step{status: 200}) }
		for i := range 640 {
			if i%5 == 0 {
				send(t, stage.Wrap(slow()))
			} else {
				send(t, stage.Wrap(takes(time.Duration(10+i%5)*time.Millisecond)))
			}
		}
		require.GreaterOrEqual(t, stats(stage).Delay, 14*time.Millisecond)
	})
}

func TestFailuresTeachNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newStage(t, config(func(c *hedge.Config) { c.Percentile, c.Pause = 0.95, 0 }))
		for range 64 {
			send(t, stage.Wrap(does(step{status: 503})))
		}
		require.Equal(t, time.Second, stats(stage).Delay, "an instant 503 is no fast answer")
	})
}

// Deadline algebra: a copy whose answer could not come in time is not sent.
func TestNoCopyThatTheDeadlineWouldCutOff(t *testing.T) {
	for _, tt := range []struct {
		name     string
		left     time.Duration // after the delay of a second
		attempts int
	}{
		{"enough time for a usual answer", 201 * time.Millisecond, 2},
		{"not enough", 200 * time.Millisecond, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stage := newStage(t, config(nil))
				for range 32 {
					send(t, stage.Wrap(takes(200*time.Millisecond)))
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second+tt.left)
				defer cancel()
				base := does()
				start := time.Now()
				_, err := stage.Wrap(base).RoundTrip(request(ctx, t))
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, time.Second+tt.left, time.Since(start))
				require.NoError(t, stage.Stop(t.Context()))
				require.Equal(t, tt.attempts, base.attempts())
			})
		})
	}
	t.Run("a limit of a stage outside is a deadline too", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			limiting := func(next http.RoundTripper) http.RoundTripper {
				return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
					ex, inner := middleware.Join(req)
					ex.Limit(time.Now().Add(time.Second), errBroken)
					return next.RoundTrip(inner)
				})
			}
			base := does()
			_, err := middleware.Chain(base, limiting, newStage(t, config(nil)).Wrap).RoundTrip(request(t.Context(), t))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, 1, base.attempts())
		})
	})
}

func TestPushbackStopsCopiesForAWhile(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer step
		method string
		want   time.Duration
	}{
		{"429", step{status: 429}, "GET", 10 * time.Second},
		{"503", step{status: 503}, "GET", 10 * time.Second},
		{"to a request that can have no copy", step{status: 503}, "POST", 10 * time.Second},
		{"for longer, if it asks for that", step{status: 429, header: http.Header{"Retry-After": {"30"}}}, "GET", 30 * time.Second},
		{"an hour is too long", step{status: 429, header: http.Header{"Retry-After": {"3600"}}}, "GET", time.Minute},
		{"a 500 is no pushback", step{status: 500}, "GET", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var e events
				stage := newStage(t, config(nil), e.option())
				req := request(t.Context(), t)
				req.Method = tt.method
				resp, err := stage.Wrap(does(tt.answer)).RoundTrip(req)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				require.Equal(t, tt.want, stats(stage).Paused)
				if tt.want == 0 {
					require.Empty(t, e.kinds())
					return
				}
				require.Equal(t, []string{"paused"}, e.kinds())
				require.Equal(t, tt.want, e.all[0].Wait)

				if tt.want > 2*time.Second {
					send(t, stage.Wrap(takes(2*time.Second)))
					require.EqualValues(t, 1, stats(stage).Withheld)
				}
				time.Sleep(tt.want)
				send(t, stage.Wrap(takes(2*time.Second)))
				require.EqualValues(t, 1, stats(stage).Sent)
			})
		})
	}
	t.Run("to a copy", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			stage := newStage(t, config(nil))
			send(t, stage.Wrap(does(step{after: 2 * time.Second, status: 200}, step{status: 503})))
			require.Equal(t, 9*time.Second, stats(stage).Paused)
		})
	})
	t.Run("switched off", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			stage := newStage(t, config(func(c *hedge.Config) { c.Pause = 0 }))
			send(t, stage.Wrap(does(step{status: 503})))
			require.Zero(t, stats(stage).Paused)
		})
	})
}

func TestBudget(t *testing.T) {
	slow := func() http.RoundTripper { return takes(1001 * time.Millisecond) }
	t.Run("a share of the requests of the window", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			stage := newStage(t, config(func(c *hedge.Config) { c.Budget, c.BudgetFloor, c.BudgetWindow = 0.1, 0, time.Hour }))
			for range 100 {
				send(t, stage.Wrap(slow()))
			}
			s := stats(stage)
			require.EqualValues(t, 10, s.Sent)
			require.EqualValues(t, 90, s.Withheld)
		})
	})
	t.Run("a floor, whatever the traffic, for each window", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			stage := newStage(t, config(func(c *hedge.Config) { c.Budget, c.BudgetFloor, c.BudgetWindow = 0.1, 2, time.Minute }))
			for range 5 {
				send(t, stage.Wrap(slow()))
			}
			require.EqualValues(t, 2, stats(stage).Sent)
			time.Sleep(time.Minute)
			for range 5 {
				send(t, stage.Wrap(slow()))
			}
			require.EqualValues(t, 4, stats(stage).Sent)
		})
	})
	t.Run("is that of the upstream", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			stage := newStage(t, config(func(c *hedge.Config) { c.Budget, c.BudgetFloor = 0, 1 }),
				hedge.WithKey(func(r *http.Request) string { return r.URL.Path }))
			for _, path := range []string{"/a", "/a", "/b", "/b"} {
				req := request(t.Context(), t)
				req.URL.Path = path
				resp, err := stage.Wrap(slow()).RoundTrip(req)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
			}
			keys := stage.Stats().Keys
			require.Len(t, keys, 2)
			for i, path := range []string{"/a", "/b"} {
				require.Equal(t, path, keys[i].Key)
				require.EqualValues(t, 1, keys[i].Sent)
			}
		})
	})
}

func TestCopiesInFlightAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newStage(t, config(func(c *hedge.Config) { c.MaxInFlight = 2 }))
		for range 3 {
			send(t, stage.Wrap(does(step{after: 2 * time.Second, status: 200}, step{after: time.Hour, deaf: true})))
		}
		require.Equal(t, 2, stage.Stats().InFlight)
		require.EqualValues(t, 1, stats(stage).Withheld)

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, stage.Stop(ctx), context.DeadlineExceeded)
		require.NoError(t, stage.Stop(t.Context()))
		require.Zero(t, stage.Stats().InFlight)
	})
}

func TestKeysAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newStage(t, config(func(c *hedge.Config) { c.MaxKeys = 8 }),
			hedge.WithKey(func(r *http.Request) string { return r.URL.Path }))
		for i := range 100 {
			req := request(t.Context(), t)
			req.URL.Path = string(rune('a' + i))
			resp, err := stage.Wrap(instant).RoundTrip(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
		}
		require.Len(t, stage.Stats().Keys, 9, "those in use, and one that the others share")
		time.Sleep(time.Minute)
		send(t, stage.Wrap(instant))
		require.Less(t, len(stage.Stats().Keys), 10, "unused ones make room")
	})
}

func TestUpdateKeepsWhatWasLearned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newStage(t, config(func(c *hedge.Config) { c.Percentile = 0.95 }))
		for range 32 {
			send(t, stage.Wrap(takes(20*time.Millisecond)))
		}
		require.Error(t, stage.Update(hedge.Config{}))
		require.Equal(t, 20*time.Millisecond, stats(stage).Delay)
		require.NoError(t, stage.Update(config(func(c *hedge.Config) { c.Delay = 5 * time.Second })))
		require.Equal(t, 5*time.Second, stats(stage).Delay, "fixed")
		base := does(step{after: time.Minute}, step{status: 200})
		start := time.Now()
		send(t, stage.Wrap(base))
		require.Equal(t, 5*time.Second, time.Since(start))
		require.NoError(t, stage.Update(config(func(c *hedge.Config) { c.Percentile = 0.95 })))
		require.Equal(t, 20*time.Millisecond, stats(stage).Delay)
		require.EqualValues(t, 33, stats(stage).Requests)
	})
}
