package ratelimit

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
	"pgregory.net/rapid"
)

// steady is a forecast of requests at a rate that does not change.
func steady(now time.Time, tokens, rate, burst float64) forecast {
	return forecast{now: now, requests: stream{tokens: tokens, burst: burst, pace: &pace{rate: rate}}}
}

func TestForecast(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name         string
		tokens, rate float64
		n            int // waiters ahead
		want         time.Duration
	}{
		{name: "a token is there", tokens: 1, rate: 10, want: 0},
		{name: "a token for the third", tokens: 3.5, rate: 10, n: 2, want: 0},
		{name: "half a token is missing", tokens: 0.5, rate: 10, want: 50 * time.Millisecond},
		{name: "behind others", tokens: 0, rate: 10, n: 4, want: 500 * time.Millisecond},
		{name: "beyond what can be reckoned", tokens: 0, rate: 1e-9, n: math.MaxInt32, want: forever},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := steady(now, c.tokens, c.rate, 5)
			require.Equal(t, c.want, f.next(c.n+1, 0).Sub(now))
		})
	}
}

// Each budget can be the one that a request waits for, and the other one is
// full no earlier than it can be.
func TestForecastOfTwoBudgets(t *testing.T) {
	now := time.Now()
	f := steady(now, 2, 1, 2)
	f.weighted, f.units = true, stream{tokens: 100, burst: 100, pace: &pace{rate: 10}}
	var at []time.Duration
	for _, cost := range []int{0, 60, 60, 10, 300, 0, 0, 0} {
		at = append(at, f.next(1, cost).Sub(now))
	}
	require.Equal(t, []time.Duration{
		0, 0, // two requests are there
		2 * time.Second,  // 20 units are missing, and in the meantime the requests are full again
		3 * time.Second,  // 0 units, 2 requests less one
		13 * time.Second, // all 100 of the units, and 200 of debt
		33 * time.Second, // the debt is paid
		33 * time.Second, // both requests that a bucket can hold
		34 * time.Second,
	}, at)
}

// What the forecast says is when the budgets give what is asked for, and not
// sooner, also while the rate changes.
func TestForecastAgreesWithTheBudgets(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg := DefaultConfig()
		cfg.Requests = rapid.IntRange(1, 1e5).Draw(rt, "requests")
		cfg.Per = time.Duration(rapid.Int64Range(1e9, 60e9).Draw(rt, "per"))
		cfg.Burst = rapid.IntRange(1, 100).Draw(rt, "burst")
		if rapid.Bool().Draw(rt, "weighted") {
			cfg.Units.Limit = rapid.IntRange(1, 1e6).Draw(rt, "units")
			cfg.Units.Burst = rapid.IntRange(0, 1e5).Draw(rt, "units burst")
		}
		b := testBucket(cfg)
		costs := rapid.SliceOfN(rapid.IntRange(0, 2*cfg.Units.Limit), 1, 50).Draw(rt, "costs")
		now := time.Now()
		for b.requests.limiter.AllowN(now, 1) {
		}
		now = now.Add(time.Duration(rapid.Int64Range(0, 1e9).Draw(rt, "later")))
		if rapid.Bool().Draw(rt, "ramp") {
			b.requests.pace.ramp = ramp{begin: now, seen: rapid.Float64Range(1, 1e4).Draw(rt, "seen"), back: time.Second}
			b.requests.setPace(now)
		}
		if rapid.Bool().Draw(rt, "told") {
			b.requests.tell(now, told{rate: rapid.Float64Range(0, 1e3).Draw(rt, "told rate"), until: now.Add(time.Second)})
		}
		f, before := b.forecast(now), now
		for i, cost := range costs {
			at := f.next(1, cost)
			if at.Sub(now) > 1000*time.Hour {
				return
			}
			if at.After(before.Add(slack)) && b.take(at.Add(-slack), cost) {
				rt.Fatalf("waiter %d could have had its token before %v", i, at.Sub(now))
			}
			asked := at
			for !b.take(asked, cost) {
				if asked = asked.Add(1); asked.Sub(at) > slack {
					rt.Fatalf("waiter %d did not get its token at %v", i, at.Sub(now))
				}
			}
			before = asked
		}
	})
}

// golang.org/x/time/rate documents neither; the stage relies on both.
func TestWhatTheLimiterMustDo(t *testing.T) {
	now := time.Now()
	limiter := rate.NewLimiter(10, 3)
	require.True(t, limiter.AllowN(now, 1))
	limiter.AllowN(now, -1)
	require.Equal(t, 3.0, limiter.TokensAt(now), "a negative number gives tokens back")
	limiter.AllowN(now, -1)
	require.Equal(t, 3.0, limiter.TokensAt(now), "up to the burst")

	limiter.SetBurstAt(now, 10)
	limiter.ReserveN(now, 10)
	limiter.SetBurstAt(now, 3)
	require.Equal(t, -7.0, limiter.TokensAt(now), "a reservation goes into debt")
	limiter.ReserveN(now, -4)
	require.Equal(t, -3.0, limiter.TokensAt(now), "and a negative one out of it")

	limiter.SetBurstAt(now.Add(time.Minute), 1)
	limiter.SetBurstAt(now.Add(time.Minute), 3)
	require.Equal(t, 1.0, limiter.TokensAt(now.Add(time.Minute)), "a smaller burst drops tokens")
	require.Equal(t, 2.0, limiter.TokensAt(now.Add(time.Minute+100*time.Millisecond)), "and counting goes on from then")
}

func TestQueueIsSortedAndLosesNobody(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		start := time.Now()
		var q queue
		var model []*waiter // in order of arrival
		for range rapid.IntRange(1, 50).Draw(rt, "steps") {
			if len(model) > 0 && rapid.Bool().Draw(rt, "remove") {
				i := rapid.IntRange(0, len(model)-1).Draw(rt, "which")
				if !q.remove(model[i]) || q.remove(model[i]) {
					rt.Fatal("a waiter can be removed exactly once")
				}
				model = append(model[:i], model[i+1:]...)
			} else {
				w := &waiter{until: start.Add(time.Duration(rapid.IntRange(0, 5).Draw(rt, "until")))}
				w.rank(0, time.Second)
				q.insert(q.place(w.order), w)
				model = append(model, w)
			}
			var want queue
			for until := range 6 {
				for _, w := range model {
					if w.until.Equal(start.Add(time.Duration(until))) {
						want = append(want, w)
					}
				}
			}
			if len(want) != len(q) || len(q) > 0 && q.head() != want[0] {
				rt.Fatalf("%d in the queue, want %d", len(q), len(want))
			}
			for i := range q {
				if q[i] != want[i] {
					rt.Fatalf("place %d is wrong", i)
				}
			}
		}
	})
}
