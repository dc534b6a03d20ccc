package circuitbreaker

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// counted is a call as the models below remember it.
type counted struct {
	at           time.Duration
	failed, slow bool
}

func sum(calls []counted) (t totals) {
	for _, c := range calls {
		t.calls++
		if c.failed {
			t.failures++
		}
		if c.slow {
			t.slow++
		}
	}
	return t
}

// A window of time holds the calls of the step that is under way and of the
// nine whole ones before it, however long nobody called.
func TestTimeWindowHoldsItsSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const length = 10 * time.Second
		start := time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "start"))
		var s stripes
		s.init()
		w := newTimeWindow(start, length, &s)
		var all []counted
		now := start
		for range rapid.IntRange(1, 200).Draw(t, "calls") {
			now += time.Duration(rapid.OneOf(rapid.Int64Range(0, 1e9), rapid.Int64Range(0, 1e8), rapid.Int64Range(0, 3e10)).Draw(t, "gap"))
			c := counted{now, rapid.Bool().Draw(t, "failed"), rapid.Bool().Draw(t, "slow")}
			w.add(c.at, length, c.failed, c.slow)
			all = append(all, c)

			step := (now - start) / time.Second
			var held []counted
			for _, c := range all {
				if (c.at-start)/time.Second > step-steps {
					held = append(held, c)
				}
			}
			if got, want := w.totals(now, length), sum(held); got != want {
				t.Fatalf("at %v the window holds %+v, want %+v", now-start, got, want)
			}
		}
	})
}

func TestCountWindowHoldsTheLastCalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "n")
		w := newCountWindow(n)
		var all []counted
		for range rapid.IntRange(1, 100).Draw(t, "calls") {
			c := counted{0, rapid.Bool().Draw(t, "failed"), rapid.Bool().Draw(t, "slow")}
			w.add(0, 0, c.failed, c.slow)
			all = append(all, c)
			if got, want := w.totals(0, 0), sum(all[max(0, len(all)-n):]); got != want {
				t.Fatalf("after %d calls the window of %d holds %+v, want %+v", len(all), n, got, want)
			}
		}
	})
}

// Once nobody counts any more, nothing that was counted at the same time is lost.
func TestWindowsLoseNothingUnderConcurrentUse(t *testing.T) {
	var s stripes
	s.init()
	const goroutines, each = 16, 5000
	for name, w := range map[string]window{
		"time":  newTimeWindow(0, time.Hour, &s),
		"count": newCountWindow(goroutines * each),
	} {
		t.Run(name, func(t *testing.T) {
			var wg sync.WaitGroup
			for g := range goroutines {
				wg.Go(func() {
					for i := range each {
						w.add(time.Duration(i), time.Hour, g%2 == 0, i%2 == 0)
					}
				})
			}
			wg.Wait()
			require.Equal(t, totals{goroutines * each, goroutines * each / 2, goroutines * each / 2}, w.totals(each, time.Hour))
		})
	}
}

// The total of a window that turns over under use settles to zero.
func TestAWindowOfCallsStaysConsistentWhenItTurnsOver(t *testing.T) {
	w := newCountWindow(7)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				w.add(0, 0, (i+g)%3 == 0, (i+g)%5 == 0)
			}
		})
	}
	wg.Wait()
	for range 7 {
		w.add(0, 0, false, false)
	}
	require.Equal(t, totals{calls: 7}, w.totals(0, 0))
}

func TestSlidingDoesNotWait(t *testing.T) {
	var s stripes
	s.init()
	w := newTimeWindow(0, 10*time.Second, &s)
	w.mu.Lock() // somebody else is at it
	w.add(time.Minute, 10*time.Second, true, false)
	w.mu.Unlock()
	require.Equal(t, totals{}, w.totals(time.Minute, 10*time.Second), "counted in the step before")
}

func TestStripes(t *testing.T) {
	var s stripes
	s.init()
	require.GreaterOrEqual(t, s.n, min(runtime.GOMAXPROCS(0), maxStripes))
	require.Zero(t, s.n&(s.n-1), "a power of two")
	for range 1000 {
		require.Less(t, s.here(), s.n)
	}
}
