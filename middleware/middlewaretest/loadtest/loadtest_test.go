package loadtest_test

import (
	"bytes"
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware/middlewaretest/loadtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestArrivalsFollowTheRates(t *testing.T) {
	l := loadtest.Load{Rates: []int{100, 300, 1000}, Step: 800 * ms}
	at, step := l.Arrivals()
	require.IsIncreasing(t, at)
	perStep := make([]int, len(l.Rates))
	for i := range at {
		perStep[step[i]]++
		require.Equal(t, step[i], int(at[i]/l.Step))
	}
	require.Equal(t, []int{80, 240 + 1, 800}, perStep, "a third of a second has no whole number of nanoseconds")
	require.Equal(t, 2400*ms, l.Duration())
}

// A load is open: nobody waits for anybody else's answer.
func TestOfferKeepsToItsTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := loadtest.Load{Rates: []int{10, 100}, Step: 200 * ms, Deadline: time.Second}
		begin := time.Now()
		var running, most atomic.Int32
		var sent []float64
		calls := l.Offer(t.Context(), func(ctx context.Context, c *loadtest.Call) loadtest.Answer {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			deadline, ok := ctx.Deadline()
			require.True(t, ok)
			require.Equal(t, begin.Add(c.Arrived+l.Deadline), deadline)
			time.Sleep(500 * ms)
			return loadtest.Fresh
		}, func(done float64) { sent = append(sent, done) })

		at, step := l.Arrivals()
		require.Len(t, calls, len(at))
		for i, c := range calls {
			require.Equal(t, loadtest.Call{Number: i, Step: step[i], Due: at[i], Arrived: at[i], Took: 500 * ms, Answer: loadtest.Fresh}, *c)
		}
		require.EqualValues(t, len(at), most.Load(), "all at once")
		require.IsIncreasing(t, sent)
		require.EqualValues(t, 1, sent[len(sent)-1])
	})
}

func TestAnAnswerAfterTheDeadlineIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := loadtest.Load{Rates: []int{1}, Step: time.Second, Deadline: time.Second}
		calls := l.Offer(t.Context(), func(context.Context, *loadtest.Call) loadtest.Answer {
			time.Sleep(time.Second + 1) // it does not look at its context
			return loadtest.Fresh
		}, func(float64) {})
		require.Equal(t, loadtest.Failed, calls[0].Answer)
		require.Equal(t, time.Second+1, calls[0].Took)
	})
}

func TestOfferEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*ms)
		defer cancel()
		var asked atomic.Int32
		l := loadtest.Load{Rates: []int{1}, Step: 10 * time.Second, Deadline: time.Minute}
		begin := time.Now()
		require.Nil(t, l.Offer(ctx, func(ctx context.Context, _ *loadtest.Call) loadtest.Answer {
			asked.Add(1)
			<-ctx.Done()
			return loadtest.Failed
		}, func(float64) {}))
		require.EqualValues(t, 3, asked.Load())
		require.Equal(t, 2500*ms, time.Since(begin), "and waits for those that were made")
	})
}

func TestSummarize(t *testing.T) {
	l := loadtest.Load{Rates: []int{10, 20}, Step: 500 * ms, Deadline: time.Second}
	r := l.Summarize("some", []*loadtest.Call{
		{Step: 0, Due: 0, Arrived: 0, Took: 50 * ms, Answer: loadtest.Fresh, Cached: true},
		{Step: 0, Due: 7 * ms, Arrived: 10 * ms, Took: time.Second},
		{Step: 1, Due: 950 * ms, Arrived: 950 * ms, Took: 40 * ms, Answer: loadtest.Fresh},
		{Step: 1, Due: 960 * ms, Arrived: 960 * ms, Took: 60 * ms, Answer: loadtest.Fresh}, // after the load
		{Step: 1, Due: 970 * ms, Arrived: 970 * ms, Took: ms, Answer: loadtest.Degraded},
	}, loadtest.Upstream{Requests: 10, Slots: 1, Service: 400 * ms})
	require.Equal(t, loadtest.Result{
		Client: "some", Calls: 5, Ceiling: 4, Fresh: 3, Degraded: 1, Failed: 1, Goodput: 2,
		P50: 50, P95: 60, P99: 60, Upstream: 2, HitRatio: 0.2, Late: 3, Steps: []float64{0.5, 2.0 / 3},
	}, r)
	require.InDelta(t, 60, r.Share(r.Fresh), 1e-9)
	require.InDelta(t, 75, r.OfCeiling(), 1e-9)
	require.NotPanics(t, func() { l.Summarize("nobody", nil, loadtest.Upstream{}) })
}

// A caller of the pool leaves at its deadline, whatever the workers do.
func TestPoolLetsCallersLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		worked := 0
		p := loadtest.NewPool(1, 100*ms, func(ctx context.Context, c *loadtest.Call) loadtest.Answer {
			worked++
			c.Cached = true
			<-ctx.Done()
			return loadtest.Fresh
		})
		for range 3 { // one with the worker, the others in the queue
			ctx, cancel := context.WithTimeout(t.Context(), 10*ms)
			call := new(loadtest.Call)
			require.Equal(t, loadtest.Failed, p.Do(ctx, call))
			require.False(t, call.Cached, "the worker has a copy")
			cancel()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		call := new(loadtest.Call)
		require.Equal(t, loadtest.Fresh, p.Do(ctx, call))
		require.True(t, call.Cached)
		require.Equal(t, 370*ms, time.Since(begin), "after those whose callers have left")
		p.Close()
		require.Equal(t, 4, worked)
	})
}

func TestMeterSaysWhenAClientIsDone(t *testing.T) {
	var out bytes.Buffer
	progress := loadtest.Meter(&out, "some client")
	for i := range 100 {
		progress(float64(i+1) / 100)
	}
	require.Equal(t, "some client\n", out.String(), "in a log, one line")
}
