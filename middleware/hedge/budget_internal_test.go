package hedge

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whatever comes when, no window has more copies than the floor or the share
// of its requests, and nobody is refused who is within both.
func TestBudgetIsNeverExceeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := DefaultConfig()
		cfg.Budget = rapid.Float64Range(0, 1).Draw(t, "budget")
		cfg.BudgetFloor = rapid.IntRange(0, 5).Draw(t, "floor")
		cfg.BudgetWindow = time.Second
		var b budget
		var now time.Duration
		var requests, copies []int64 // the periods in which they were counted
		in := func(all []int64, p int64) (n int) {
			for _, x := range all {
				if x > p-parts && x <= p {
					n++
				}
			}
			return n
		}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now += time.Duration(rapid.IntRange(0, 300).Draw(t, "ms")) * time.Millisecond
			p := period(now, cfg.BudgetWindow)
			if rapid.Bool().Draw(t, "a request") {
				b.request(now, cfg.BudgetWindow)
				requests = append(requests, p)
				continue
			}
			allowed := float64(in(copies, p)+1) <= max(float64(cfg.BudgetFloor), cfg.Budget*float64(in(requests, p)))
			if got := b.take(now, &cfg); got != allowed {
				t.Fatalf("take is %v with %d requests and %d copies", got, in(requests, p), in(copies, p))
			}
			if allowed {
				copies = append(copies, p)
			}
		}
	})
}

func TestWhatIsGivenBackCanBeTakenAgain(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Budget, cfg.BudgetFloor, cfg.BudgetWindow = 0, 1, time.Second
	var b budget
	require.True(t, b.take(0, &cfg))
	require.False(t, b.take(900*time.Millisecond, &cfg))
	b.giveBack(900*time.Millisecond, cfg.BudgetWindow)
	require.True(t, b.take(900*time.Millisecond, &cfg))
	b.giveBack(5*time.Second, cfg.BudgetWindow) // too late to matter, and no loan
	b.giveBack(5*time.Second, cfg.BudgetWindow)
	require.True(t, b.take(5*time.Second, &cfg))
	require.False(t, b.take(5*time.Second, &cfg))
}

func TestConcurrentTakersStayWithinTheBudget(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Budget, cfg.BudgetFloor = 0.1, 0
	var b budget
	var wg sync.WaitGroup
	taken := make([]int, 8)
	for g := range taken {
		wg.Go(func() {
			for range 1000 {
				b.request(time.Second, cfg.BudgetWindow)
				if b.take(time.Second, &cfg) {
					taken[g]++
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range taken {
		sum += n
	}
	require.Equal(t, 800, sum)
}

func TestQuantiles(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Percentile, cfg.MinSamples = 0.9, 10
	var l latencies
	for i := range 9 {
		l.add(time.Duration(i+1), &cfg)
	}
	require.Zero(t, l.typical())
	require.Equal(t, cfg.Delay, l.delay(&cfg))
	l.add(10, &cfg)
	require.Equal(t, time.Duration(6), l.typical())
	require.Equal(t, time.Duration(9), l.delay(&cfg))
	for range samples + refresh {
		l.add(100, &cfg)
	}
	require.Equal(t, time.Duration(100), l.delay(&cfg), "what is old is forgotten")
	require.Equal(t, time.Duration(100), l.typical())
}
