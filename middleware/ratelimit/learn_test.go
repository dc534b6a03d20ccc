package ratelimit_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/ratelimit"
)

// learning is a caller whose upstream answers with the header that is set.
type learning struct {
	*caller
	seen   events
	header http.Header
	status int
}

func newLearning(t *testing.T, change func(*ratelimit.Config), opts ...ratelimit.Option) *learning {
	l := &learning{status: http.StatusOK}
	l.caller = newCaller(t, config(func(cfg *ratelimit.Config) {
		cfg.Learn, cfg.Burst = true, 20
		if change != nil {
			change(cfg)
		}
	}), append([]ratelimit.Option{ratelimit.WithReporter(middleware.Reporter{Observer: &l.seen})}, opts...)...)
	l.up.answer = func(req *http.Request) *http.Response { return respond(req, l.status, l.header) }
	return l
}

// told makes one call whose answer has these lines in its header, and none after it.
func (l *learning) told(lines ...string) {
	l.header = header(lines...)
	l.call("told", 0)
	l.calls.Wait()
	l.header = nil
}

// spree makes so many calls and gives the times at which they arrive, after the first one of all.
func (l *learning) spree(n int) []time.Duration {
	before := len(l.up.times())
	for range n {
		l.call("x", 0)
	}
	l.calls.Wait()
	return l.up.times()[before:]
}

func every(from, step time.Duration, n int) (times []time.Duration) {
	for i := range n {
		times = append(times, from+time.Duration(i)*step)
	}
	return times
}

func at(zeros int, then ...time.Duration) []time.Duration {
	return append(make([]time.Duration, zeros), then...)
}

func TestLearnedLimits(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*ratelimit.Config)
		header []string
		n      int
		want   []time.Duration
	}{
		{name: "enough remains", header: []string{"RateLimit-Remaining: 500", "RateLimit-Reset: 30"}, n: 21, want: at(19, tick, 2*tick)},
		{name: "nothing remains: nobody before the reset, then one by one", header: []string{"RateLimit-Remaining: 0", "RateLimit-Reset: 30"}, n: 3, want: every(30*time.Second, tick, 3)},
		{name: "less remains than the bucket holds", header: []string{"RateLimit-Remaining: 2", "RateLimit-Reset: 30"}, n: 4, want: at(2, 30*time.Second+tick, 30*time.Second+2*tick)},
		{name: "nothing remains, but nobody knows until when", header: []string{"RateLimit-Remaining: 0"}, n: 2, want: []time.Duration{tick, 2 * tick}},
		{name: "the policy is slower than the setting, for as long as it counts", header: []string{`RateLimit-Policy: "a";q=4;w=2`}, n: 24, want: at(19, every(time.Second/2, time.Second/2, 4)...)[:23]},
		{name: "the policy is faster than the setting", header: []string{`RateLimit-Policy: "a";q=1000;w=2`}, n: 21, want: at(19, tick, 2*tick)},
		{name: "what refills goes at the speed at which it does", header: []string{"x-ratelimit-limit-requests: 60", "x-ratelimit-remaining-requests: 2", "x-ratelimit-reset-requests: 58s"}, n: 5, want: at(2, time.Second, 2*time.Second, 3*time.Second)},
		{name: "what refills and is empty is no pause until it is full", header: []string{"x-ratelimit-limit-requests: 60", "x-ratelimit-remaining-requests: 0", "x-ratelimit-reset-requests: 1m0s"}, n: 2, want: []time.Duration{time.Second, 2 * time.Second}},
		{name: "a reset that is too far is cut", change: func(cfg *ratelimit.Config) { cfg.MaxPause = time.Minute }, header: []string{"RateLimit-Remaining: 0", "RateLimit-Reset: 86400"}, n: 1, want: []time.Duration{time.Minute}},
		{name: "a limit that holds too long is cut", change: func(cfg *ratelimit.Config) { cfg.MaxPause = time.Minute }, header: []string{"RateLimit-Remaining: 2", "RateLimit-Reset: 86400"}, n: 3, want: at(2, time.Minute+tick)},
		{name: "not asked to learn", change: func(cfg *ratelimit.Config) { cfg.Learn = false }, header: []string{"RateLimit-Remaining: 0", "RateLimit-Reset: 30"}, n: 2, want: at(2)},
		{name: "units that there are none of", header: []string{"x-ratelimit-limit-tokens: 60", "x-ratelimit-remaining-tokens: 0", "x-ratelimit-reset-tokens: 1m0s"}, n: 2, want: at(2)},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLearning(t, c.change)
				l.told(c.header...)
				got := l.spree(c.n)
				require.Equal(t, c.want, got[:len(c.want)])
			})
		})
	}
}

func TestLearnedLimitExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLearning(t, func(cfg *ratelimit.Config) { cfg.Burst = 1 })
		l.told(`RateLimit-Policy: "a";q=5;w=1`)
		require.Equal(t, 5.0, only(t, l.l).Rate)
		require.Equal(t, append(every(200*time.Millisecond, 200*time.Millisecond, 5), every(1100*time.Millisecond, tick, 3)...), l.spree(8))
		require.Equal(t, 10.0, only(t, l.l).Rate)
	})
}

func TestWhatIsLearnedOnlyTightens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLearning(t, nil)
		l.told(`RateLimit-Policy: "a";q=5;w=60`)
		l.told(`RateLimit-Policy: "a";q=60;w=60`)
		require.InDelta(t, 5.0/60, only(t, l.l).Rate, 1e-9)
		l.told(`RateLimit-Policy: "a";q=3;w=60`)
		require.InDelta(t, 3.0/60, only(t, l.l).Rate, 1e-9)
		require.Len(t, l.seen.list(), 1, "a limit that is told again is no event")
		event := l.seen.list()[0]
		require.Equal(t, ratelimit.EventLearned, event.Kind)
		require.Equal(t, slog.LevelInfo, event.Level)
		require.Equal(t, time.Minute, event.Wait)
		require.Equal(t, "[budget=requests rate=0.08333333333333333]", fmt.Sprint(event.Attrs))
		// And an update keeps it.
		require.NoError(t, l.l.Update(config(func(cfg *ratelimit.Config) { cfg.Learn, cfg.Requests = true, 1000 })))
		require.InDelta(t, 3.0/60, only(t, l.l).Rate, 1e-9)
	})
}

func TestLearnedPauseIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLearning(t, nil)
		l.told("RateLimit-Remaining: 0", "RateLimit-Reset: 30")
		require.Len(t, l.seen.list(), 1)
		require.Equal(t, ratelimit.EventPaused, l.seen.list()[0].Kind)
		require.Equal(t, 30*time.Second, l.seen.list()[0].Wait)
	})
}

// The order of trust: Retry-After, then the limits.
func TestHintOutranksLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLearning(t, nil)
		l.status = http.StatusTooManyRequests
		l.told("Retry-After: 2", "RateLimit-Remaining: 0", "RateLimit-Reset: 30")
		require.Equal(t, 2*time.Second, only(t, l.l).Paused)
		time.Sleep(3 * time.Second)
		l.told("RateLimit-Remaining: 0", "RateLimit-Reset: 30")
		require.Equal(t, 30*time.Second, only(t, l.l).Paused, "without a hint they are all there is")
	})
}

func TestLearnedUnits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLearning(t, func(cfg *ratelimit.Config) {
			cfg.Requests, cfg.Burst = 1e6, 1e6
			cfg.Units = ratelimit.UnitsConfig{Limit: 1000, Per: time.Second}
		}, ratelimit.WithCost(byPath))
		l.header = header("anthropic-ratelimit-tokens-limit: 600", "anthropic-ratelimit-tokens-remaining: 100",
			"anthropic-ratelimit-tokens-reset: "+time.Now().Add(50*time.Second).Format(time.RFC3339))
		l.call("500", 0)
		l.header = nil
		require.Equal(t, 10.0, only(t, l.l).UnitRate)
		r := l.call("120", 0)
		l.calls.Wait()
		require.Equal(t, 2*time.Second, r.took)
	})
}

func TestWithFamilies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := ratelimit.Family{Name: "mine", Fields: []ratelimit.Fields{{Remaining: "x-left", Reset: "X-BACK-IN"}}}
		l := newLearning(t, nil, ratelimit.WithFamilies(own))
		l.told("RateLimit-Remaining: 0", "RateLimit-Reset: 30")
		require.Zero(t, only(t, l.l).Paused)
		l.told("X-Left: 0", "X-Back-In: 7s")
		require.Equal(t, 7*time.Second, only(t, l.l).Paused)
		require.Equal(t, "x-left", own.Fields[0].Remaining, "it stays the caller's")
	})
}
