package ratelimit_test

import (
	"context"
	"errors"
	"sort"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/headgate-go/headgate/middleware/ratelimit"
)

// visit is a request of the property test, and what became of it.
type visit struct {
	at, deadline, cancel time.Duration // deadline and cancel after it came, 0 for none
	served               time.Duration // after it came
	refused              time.Duration
	err                  error
}

// Whatever comes when: the rate is kept, everybody who is let in is served in
// time, everybody else is told at once, and no token is lost.
func TestEveryScheduleKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg := config(func(cfg *ratelimit.Config) {
			cfg.Requests = rapid.IntRange(1, 300).Draw(rt, "requests")
			cfg.Burst = rapid.IntRange(1, 5).Draw(rt, "burst")
			cfg.Queue = rapid.IntRange(0, 40).Draw(rt, "queue")
			cfg.MaxWait = time.Duration(rapid.IntRange(1, 3000).Draw(rt, "max_wait")) * time.Millisecond
		})
		ms := func(most int, name string) time.Duration {
			return time.Duration(rapid.IntRange(0, most).Draw(rt, name)) * time.Millisecond
		}
		visits := make([]visit, rapid.IntRange(1, 60).Draw(rt, "requests to come"))
		for i := range visits {
			visits[i] = visit{at: ms(1000, "at"), deadline: ms(2000, "deadline")}
			if rapid.IntRange(0, 4).Draw(rt, "gives up") == 0 {
				visits[i].cancel = ms(500, "cancel")
			}
		}
		var stats ratelimit.KeyStats
		var arrivals []time.Duration
		synctest.Test(t, func(t *testing.T) { arrivals, stats = play(t, cfg, visits) })

		per := cfg.Per / time.Duration(cfg.Requests)
		sort.Slice(arrivals, func(i, j int) bool { return arrivals[i] < arrivals[j] })
		for i := cfg.Burst; i < len(arrivals); i++ {
			if gap := arrivals[i] - arrivals[i-cfg.Burst]; gap < per-time.Microsecond {
				rt.Fatalf("%d requests within %v, want at most %d each %v", cfg.Burst+1, gap, cfg.Burst, per)
			}
		}
		for i, v := range visits {
			switch {
			case v.err == nil && v.served > cfg.MaxWait+time.Microsecond:
				rt.Fatalf("%d waited %v, longer than max_wait", i, v.served)
			case v.err == nil && v.deadline > 0 && v.served >= v.deadline:
				rt.Fatalf("%d was served after %v, its deadline was %v", i, v.served, v.deadline)
			case errors.Is(v.err, ratelimit.ErrTooLate) && v.refused != 0:
				rt.Fatalf("%d was let in and refused after %v", i, v.refused)
			case errors.Is(v.err, ratelimit.ErrQueueFull) && v.refused != 0:
				rt.Fatalf("%d was told after %v that the queue is full", i, v.refused)
			}
		}
		if stats.Waiting != 0 || int(stats.Admitted) != len(arrivals) || int(stats.Admitted+stats.Refused) != len(visits) {
			rt.Fatalf("%d visits, %d arrivals, in the end: %+v", len(visits), len(arrivals), stats)
		}
	})
}

func play(t *testing.T, cfg ratelimit.Config, visits []visit) ([]time.Duration, ratelimit.KeyStats) {
	l := newStage(t, cfg)
	up := newUpstream()
	rt := l.Wrap(up)
	var calls sync.WaitGroup
	for i := range visits {
		calls.Go(func() {
			v := &visits[i]
			time.Sleep(v.at)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if v.deadline > 0 {
				ctx, cancel = context.WithTimeout(ctx, v.deadline)
				defer cancel()
			}
			if v.cancel > 0 {
				defer time.AfterFunc(v.cancel, cancel).Stop()
			}
			start := time.Now()
			if v.err = get(ctx, rt, "http://a/"); v.err == nil {
				v.served = time.Since(start)
			} else {
				v.refused = time.Since(start)
			}
		})
	}
	calls.Wait()
	require.LessOrEqual(t, len(up.arrivals()), len(visits))
	return up.times(), only(t, l)
}
