package ratelimit

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
	"pgregory.net/rapid"
)

func TestForecast(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name string
		f    forecast
		n    int
		want time.Duration
	}{
		{name: "a token is there", f: forecast{tokens: 1, rate: 10}, want: 0},
		{name: "a token for the third", f: forecast{tokens: 3.5, rate: 10}, n: 2, want: 0},
		{name: "half a token is missing", f: forecast{tokens: 0.5, rate: 10}, want: 50 * time.Millisecond},
		{name: "behind others", f: forecast{tokens: 0, rate: 10}, n: 4, want: 500 * time.Millisecond},
		{name: "beyond what can be reckoned", f: forecast{tokens: 0, rate: 1e-9}, n: math.MaxInt32, want: forever},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.f.from = now
			require.Equal(t, c.want, c.f.at(c.n).Sub(now))
		})
	}
}

// What the forecast says is when the limiter gives the token, and not sooner.
func TestForecastAgreesWithTheLimiter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := rapid.Float64Range(0.001, 1e5).Draw(rt, "rate")
		limiter := rate.NewLimiter(rate.Limit(r), rapid.IntRange(1, 100).Draw(rt, "burst"))
		now := time.Now()
		for limiter.AllowN(now, 1) {
		}
		now = now.Add(time.Duration(rapid.Int64Range(0, 1e9).Draw(rt, "later")))
		f := forecast{from: now, tokens: limiter.TokensAt(now), rate: r}
		for n := range rapid.IntRange(1, 50).Draw(rt, "waiters") {
			at := f.at(n)
			if at.After(now.Add(slack)) && limiter.AllowN(at.Add(-slack), 1) {
				rt.Fatalf("waiter %d could have had its token before %v", n, at.Sub(now))
			}
			asked := at
			for !limiter.AllowN(asked, 1) {
				if asked = asked.Add(1); asked.Sub(at) > slack {
					rt.Fatalf("waiter %d did not get its token at %v", n, at.Sub(now))
				}
			}
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
				q.insert(q.place(w.until), w)
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
