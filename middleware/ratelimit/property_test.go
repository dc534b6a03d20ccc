package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
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
	cost                 int
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
			if rapid.Bool().Draw(rt, "weighted") {
				cfg.Units = ratelimit.UnitsConfig{Limit: rapid.IntRange(1, 1000).Draw(rt, "units"), Per: time.Second, Burst: rapid.IntRange(0, 50).Draw(rt, "units burst")}
			}
		})
		ms := func(most int, name string) time.Duration {
			return time.Duration(rapid.IntRange(0, most).Draw(rt, name)) * time.Millisecond
		}
		visits := make([]visit, rapid.IntRange(1, 60).Draw(rt, "requests to come"))
		for i := range visits {
			visits[i] = visit{at: ms(1000, "at"), deadline: ms(2000, "deadline"), cost: rapid.IntRange(0, 60).Draw(rt, "cost")}
			if rapid.IntRange(0, 4).Draw(rt, "gives up") == 0 {
				visits[i].cancel = ms(500, "cancel")
			}
		}
		var stats ratelimit.KeyStats
		var arrivals []arrival
		synctest.Test(t, func(t *testing.T) { arrivals, stats = play(t, cfg, visits) })

		per := cfg.Per / time.Duration(cfg.Requests)
		sort.SliceStable(arrivals, func(i, j int) bool { return arrivals[i].at < arrivals[j].at })
		for i := cfg.Burst; i < len(arrivals); i++ {
			if gap := arrivals[i].at - arrivals[i-cfg.Burst].at; gap < per-time.Microsecond {
				rt.Fatalf("%d requests within %v, want at most %d each %v", cfg.Burst+1, gap, cfg.Burst, per)
			}
		}
		checkUnits(rt, cfg.Units, arrivals)
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

// checkUnits sees to it that a request goes only when its units are there, or a
// full bucket where it needs more than that.
func checkUnits(rt *rapid.T, cfg ratelimit.UnitsConfig, arrivals []arrival) {
	if cfg.Limit == 0 {
		return
	}
	burst := float64(cfg.Burst)
	if cfg.Burst == 0 {
		burst = float64(cfg.Limit)
	}
	tokens, last, perSecond := burst, time.Duration(0), float64(cfg.Limit)
	for i, a := range arrivals {
		tokens = min(burst, tokens+(a.at-last).Seconds()*perSecond)
		last = a.at
		cost, _ := strconv.ParseFloat(a.path, 64)
		if tokens < min(cost, burst)-1e-3 {
			rt.Fatalf("arrival %d takes %v units, %v are there", i, cost, tokens)
		}
		tokens -= min(cost, burst+perSecond)
	}
}

func play(t *testing.T, cfg ratelimit.Config, visits []visit) ([]arrival, ratelimit.KeyStats) {
	l := newStage(t, cfg, ratelimit.WithCost(byPath))
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
			if v.err = get(ctx, rt, fmt.Sprintf("http://a/%d", v.cost)); v.err == nil {
				v.served = time.Since(start)
			} else {
				v.refused = time.Since(start)
			}
		})
	}
	calls.Wait()
	require.LessOrEqual(t, len(up.arrivals()), len(visits))
	return up.arrivals(), only(t, l)
}
