package retry

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Requirement 22: a budget that is looked at after every step agrees with one
// that remembers everything, in whatever order it is used.
func TestBudgetAgreesWithItsModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg := BudgetConfig{
			Enabled:      true,
			Share:        float64(rapid.IntRange(0, 8).Draw(rt, "share")) / 4,
			MinPerSecond: float64(rapid.IntRange(0, 3).Draw(rt, "min")),
			Window:       time.Duration(rapid.IntRange(1, 20).Draw(rt, "window")) * time.Second,
		}
		steps := rapid.SliceOf(rapid.IntRange(0, 6)).Draw(rt, "steps")
		synctest.Test(t, func(t *testing.T) {
			type taken struct {
				ticket ticket
				period int64
			}
			b := newBudget(cfg.Window)
			start, step := time.Now(), cfg.Window/slots
			var calls []int64
			var retries []taken
			for _, s := range steps {
				now := int64(time.Since(start) / step)
				switch s {
				case 0:
					time.Sleep(step / 3)
				case 1:
					time.Sleep(4 * step)
				case 2, 3:
					b.call()
					calls = append(calls, now)
				case 4:
					left := b.stats(&cfg).Left
					ticket, ok := b.take(&cfg)
					require.Equal(t, left > 0, ok)
					if ok {
						retries = append(retries, taken{ticket, now})
					}
				case 5:
					retries = append(retries, taken{b.charge(&cfg), now})
				case 6:
					if len(retries) > 0 {
						i := len(retries) / 2
						retries[i].ticket.giveBack()
						retries[i].ticket.giveBack() // a second time is nothing
						retries = append(retries[:i:i], retries[i+1:]...)
					}
				}

				want := BudgetStats{}
				now = int64(time.Since(start) / step)
				for _, c := range calls {
					if now-c < slots {
						want.Calls++
					}
				}
				for _, r := range retries {
					if now-r.period < slots {
						want.Retries++
					}
				}
				want.Left = max(int(cfg.Share*float64(want.Calls)), int(cfg.MinPerSecond*cfg.Window.Seconds())) - want.Retries
				require.Equal(t, want, b.stats(&cfg))
			}
		})
	})
}

// Whoever looks, and when, no more retries are granted than all calls pay for.
func TestBudgetGrantsNoMoreThanItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := BudgetConfig{Enabled: true, Share: 0.2, Window: 10 * time.Second}
		b := newBudget(cfg.Window)
		random := rand.New(rand.NewPCG(1, 2))
		calls, granted := 0, 0
		for range 20000 {
			switch n := random.IntN(100); {
			case n < 60:
				b.call()
				calls++
			case n < 97:
				if _, ok := b.take(&cfg); ok {
					granted++
				}
			default:
				time.Sleep(time.Duration(random.IntN(20000)) * time.Millisecond)
			}
			require.LessOrEqual(t, float64(granted), 0.2*float64(calls))
		}
		require.Greater(t, granted, 500)
	})
}

// Requirement 18 in kind: concurrent use never counts below zero.
func TestBudgetIsEvenAfterConcurrentUse(t *testing.T) {
	cfg := BudgetConfig{Enabled: true, Share: 0.5, MinPerSecond: 1, Window: 10 * time.Minute}
	b := newBudget(cfg.Window)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				b.call()
				if ticket, ok := b.take(&cfg); ok {
					ticket.giveBack()
				}
				charged := b.charge(&cfg)
				charged.giveBack()
				b.uncall()
			}
		})
	}
	wg.Wait()
	require.Equal(t, BudgetStats{Left: 600}, b.stats(&cfg))
	require.True(t, b.idle())
}
