package tiered_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/tiered"
)

var errBroken = errors.New("broken")

const skipFor = 10 * time.Second

func TestATierThatFailsIsSkippedReportedAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		require.NoError(t, r.Set(t.Context(), "key", "value"))
		require.NoError(t, r.a.Adapter.Clear(t.Context()))
		r.b.failing("get", errBroken)
		for range 3 {
			require.NoError(t, r.a.Adapter.Clear(t.Context()))
			r.requireValue(t, "value") // of c
		}
		require.Equal(t, []string{"tier_down b"}, r.journal.kinds())
		down := r.journal.events[0]
		require.Equal(t, "tiered", down.Stage)
		require.Equal(t, slog.LevelWarn, down.Level)
		require.ErrorIs(t, down.Err, errBroken)
		require.Equal(t, skipFor, down.Wait)
		require.True(t, r.Stats().Tiers[1].Down)

		calls := r.b.count("get")
		time.Sleep(skipFor - 1)
		require.NoError(t, r.a.Adapter.Clear(t.Context()))
		r.requireValue(t, "value")
		require.Equal(t, calls, r.b.count("get"), "skipped")

		time.Sleep(time.Nanosecond)
		require.NoError(t, r.a.Adapter.Clear(t.Context()))
		r.requireValue(t, "value") // begins a probe, and does not wait for it
		synctest.Wait()
		require.Equal(t, calls+1, r.b.count("get"), "a probe")
		require.True(t, r.Stats().Tiers[1].Down)

		r.b.failing("get", nil)
		time.Sleep(skipFor)
		require.NoError(t, r.a.Adapter.Clear(t.Context()))
		r.requireValue(t, "value")
		synctest.Wait()
		require.Equal(t, []string{"tier_down b", "tier_up b"}, r.journal.kinds())
		require.False(t, r.Stats().Tiers[1].Down)
	})
}

func TestFailuresThatAreNotInARowDoNotCount(t *testing.T) {
	r := newRig(t)
	for range 5 {
		for _, err := range []error{errBroken, errBroken, nil} {
			r.b.failing("get", err)
			r.requireMiss(t)
		}
	}
	require.Empty(t, r.journal.kinds())
	require.EqualValues(t, 10, r.Stats().Tiers[1].Failures)
}

func TestASlowTierCostsAReadItsTimeoutAndThenNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		require.NoError(t, r.Set(t.Context(), "key", "value"))
		r.a.set(func() { r.a.delay = time.Hour })
		for range 3 {
			begin := time.Now()
			r.requireValue(t, "value")
			// The read, the copy and the deletion of what it may have left.
			require.LessOrEqual(t, time.Since(begin), 3*timeout)
		}
		begin := time.Now()
		r.requireValue(t, "value")
		require.Zero(t, time.Since(begin))
		require.Equal(t, []string{"tier_down a"}, r.journal.kinds())
		require.ErrorIs(t, r.journal.events[0].Err, context.DeadlineExceeded)
	})
}

func TestATierThatIsSlowToWriteIsSkippedThoughItReadsAndDeletes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRigOf(t, config("a", "c"))
		slow := slowWriter{r.a}
		s, err := tiered.New(config("a", "c"), map[string]store.StoreInterface{"a": slow, "c": r.c})
		require.NoError(t, err)
		for range 3 {
			require.False(t, s.Stats().Tiers[0].Down)
			require.NoError(t, s.Set(t.Context(), "key", "value"))
			_, err := s.Get(t.Context(), "other")
			require.ErrorIs(t, err, store.NotFound{})
		}
		require.True(t, s.Stats().Tiers[0].Down)
		require.NoError(t, s.Stop(t.Context()))
	})
}

type slowWriter struct{ *fake }

func (s slowWriter) Set(ctx context.Context, _ any, _ any, _ ...store.Option) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestATierThatHangsWhateverItsContextSaysIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		require.NoError(t, r.Set(t.Context(), "key", "value"))
		hang := make(chan struct{})
		r.a.set(func() { r.a.hang = hang })
		begin := time.Now()
		r.requireValue(t, "value")
		require.LessOrEqual(t, time.Since(begin), 3*timeout)
		require.Equal(t, []string{"tier_down a"}, r.journal.kinds(), "what it holds is not known")

		calls := r.a.count("get")
		time.Sleep(2 * skipFor)
		r.requireValue(t, "value")
		synctest.Wait()
		require.Equal(t, calls, r.a.count("get"), "not tried before it has returned what it was asked")

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, r.Stop(ctx), context.DeadlineExceeded, "Stop waits for it as long as it may")
		close(hang)
		require.NoError(t, r.Stop(t.Context()))
	})
}

func TestTheCallersDeadlineIsNoFailureOfTheTier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.a.set(func() { r.a.delay = 200 * time.Millisecond })
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			_, err := r.Get(ctx, "key")
			require.ErrorIs(t, err, context.DeadlineExceeded)
			cancel()
		}
		synctest.Wait()
		require.Zero(t, r.Stats().Tiers[0].Failures)
		require.Empty(t, r.journal.kinds())
	})
}

func TestWhatADeadTierHasMissedIsMadeUpForBeforeItIsReadAgain(t *testing.T) {
	for name, write := range map[string]func(r *rig) error{
		"delete": func(r *rig) error { return r.Delete(context.Background(), "key") },
		"invalidate": func(r *rig) error {
			return r.Invalidate(context.Background(), store.WithInvalidateTags([]string{"tag"}))
		},
		"clear": func(r *rig) error { return r.Clear(context.Background()) },
		"set":   func(r *rig) error { return r.Set(context.Background(), "key", "new") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				require.NoError(t, r.Set(t.Context(), "key", "old", store.WithTags([]string{"tag"})))
				r.a.failing("", errBroken)
				require.NoError(t, write(r))
				require.Equal(t, []string{"tier_down a"}, r.journal.kinds(), "at once")
				r.a.failing("", nil)
				if name == "set" {
					r.requireValue(t, "new")
				} else {
					r.requireMiss(t)
				}
				time.Sleep(skipFor)
				_, _ = r.Get(t.Context(), "another")
				synctest.Wait()
				require.Equal(t, []string{"tier_down a", "tier_up a"}, r.journal.kinds())
				_, err := r.a.Adapter.Get(t.Context(), "key")
				require.ErrorIs(t, err, store.NotFound{})
				require.Zero(t, r.Stats().Tiers[0].Owed)
			})
		})
	}
}

func TestWhatIsOwedIsKeptUntilItIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		require.NoError(t, r.Set(t.Context(), "key", "old"))
		r.a.failing("", errBroken)
		require.NoError(t, r.Delete(t.Context(), "key"))
		for range 3 {
			time.Sleep(skipFor)
			r.requireMiss(t)
			synctest.Wait()
			require.Equal(t, 1, r.Stats().Tiers[0].Owed)
		}
		r.a.failing("", nil)
		r.a.failing("get", errBroken) // it deletes again, but the probe fails
		time.Sleep(skipFor)
		r.requireMiss(t)
		synctest.Wait()
		require.Zero(t, r.Stats().Tiers[0].Owed)
		require.True(t, r.Stats().Tiers[0].Down)
		require.Equal(t, []string{"tier_down a"}, r.journal.kinds())
	})
}

func TestWhatIsOwedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := config("a", "b", "c")
		cfg.MaxOwed = 10
		r := newRigOf(t, cfg)
		require.NoError(t, r.Set(t.Context(), "never deleted", "value"))
		r.a.failing("", errBroken)
		for i := range 10 {
			require.NoError(t, r.Delete(t.Context(), fmt.Sprint(i)))
		}
		require.Equal(t, 10, r.Stats().Tiers[0].Owed)
		require.NoError(t, r.Delete(t.Context(), "one more"))
		require.Equal(t, -1, r.Stats().Tiers[0].Owed)
		r.a.failing("", nil)
		time.Sleep(skipFor)
		r.requireMiss(t)
		synctest.Wait()
		require.Equal(t, 1, r.a.count("clear"))
		require.Equal(t, 1, r.a.count("delete"), "the first one, that failed")
		require.False(t, r.Stats().Tiers[0].Down)
	})
}

// A full disk takes no values and still deletes: it stays in use for what it has.
func TestATierThatTakesNoValuesIsStillRead(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.Set(t.Context(), "other", "value"))
	r.b.failing("set", errBroken)
	for range 5 {
		require.NoError(t, r.Set(t.Context(), "key", "new"))
		require.NoError(t, r.a.Adapter.Clear(t.Context()))
		got, err := r.Get(t.Context(), "other")
		require.NoError(t, err)
		require.Equal(t, "value", string(got.([]byte)))
	}
	require.Empty(t, r.journal.kinds())
	require.Zero(t, r.Stats().Tiers[1].Owed)
	require.EqualValues(t, 5, r.Stats().Tiers[1].Hits)
}

func TestWithEveryTierDeadAReadIsAMissAndAWriteAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		for _, f := range []*fake{r.a, r.b, r.c} {
			f.failing("", errBroken)
		}
		for range 5 {
			r.requireMiss(t)
			err := r.Set(t.Context(), "key", "value")
			require.ErrorIs(t, err, cachestore.ErrStore)
			require.ErrorIs(t, err, errBroken)
			require.NoError(t, r.Delete(t.Context(), "key"))
			require.NoError(t, r.Clear(t.Context()))
		}
		require.Len(t, r.journal.kinds(), 3)
		require.LessOrEqual(t, r.a.count("get")+r.a.count("set")+r.a.count("delete"), 3)
	})
}

func TestDeletesReachEveryTierThoughTheCallerHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		require.NoError(t, r.Set(t.Context(), "key", "value"))
		r.a.set(func() { r.a.delay = 100 * time.Millisecond })
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		require.NoError(t, r.Delete(ctx, "key"))
		require.Error(t, ctx.Err())
		for _, f := range []*fake{r.a, r.b, r.c} {
			_, err := f.Adapter.Get(t.Context(), "key")
			require.ErrorIs(t, err, store.NotFound{})
		}
		require.Empty(t, r.journal.kinds())
	})
}

func TestAnInvalidationThatTheCallerCutsShortIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		require.NoError(t, r.Set(t.Context(), "key", "value", store.WithTags([]string{"tag"})))
		r.b.set(func() { r.b.delay = time.Minute })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, r.Invalidate(ctx, store.WithInvalidateTags([]string{"tag"})))
		r.b.set(func() { r.b.delay = 0 })
		r.requireMiss(t)
		time.Sleep(skipFor)
		r.requireMiss(t)
		synctest.Wait()
		require.ElementsMatch(t, []string{"tier_down b", "tier_down c", "tier_up b", "tier_up c"}, r.journal.kinds())
		r.requireMiss(t)
	})
}

func TestATierThatCannotBeClearedSaysSo(t *testing.T) {
	m := newFake(t)
	a, err := cachestore.Adapt(m)
	require.NoError(t, err)
	s, err := tiered.New(config("a"), map[string]store.StoreInterface{"a": a})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Stop(t.Context())) }()
	require.ErrorIs(t, s.Clear(t.Context()), store.ErrNotSupported)
	require.False(t, s.Stats().Tiers[0].Down)
}
