package hedge_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/hedge"
)

var errBroken = errors.New("the wire broke")

func TestWhichAnswerIsTakenAndWhen(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*hedge.Config)
		steps  []step
		took   time.Duration
		status int // 0: err
		body   string
		err    error
		kinds  []string
	}{
		{
			name:  "an answer before the delay needs no copy",
			steps: []step{{after: 900 * time.Millisecond, status: 200, body: "first"}},
			took:  900 * time.Millisecond, status: 200, body: "first", kinds: []string{},
		},
		{
			name:  "the copy is sooner",
			steps: []step{{after: time.Minute, status: 200}, {after: 100 * time.Millisecond, status: 200, body: "copy"}},
			took:  1100 * time.Millisecond, status: 200, body: "copy", kinds: []string{"hedged", "won"},
		},
		{
			name:  "the first is sooner after all",
			steps: []step{{after: 1500 * time.Millisecond, status: 200, body: "first"}, {after: time.Minute, status: 200}},
			took:  1500 * time.Millisecond, status: 200, body: "first", kinds: []string{"hedged", "lost"},
		},
		{
			name:   "one copy after the other",
			change: func(c *hedge.Config) { c.MaxHedges = 2 },
			steps:  []step{{after: time.Minute, status: 200}, {after: time.Minute, status: 200}, {after: time.Second, status: 200, body: "third"}},
			took:   3 * time.Second, status: 200, body: "third", kinds: []string{"hedged", "hedged", "won", "lost"},
		},
		{
			name:   "not more copies than max_hedges",
			change: func(c *hedge.Config) { c.MaxHedges = 2 },
			steps:  []step{{after: 9 * time.Second, status: 200, body: "first"}, {after: time.Minute, status: 200}, {after: time.Minute, status: 200}},
			took:   9 * time.Second, status: 200, body: "first", kinds: []string{"hedged", "hedged", "lost", "lost"},
		},
		{
			name:  "a failure before the delay is the business of retry",
			steps: []step{{after: 500 * time.Millisecond, err: errBroken}},
			took:  500 * time.Millisecond, err: errBroken, kinds: []string{},
		},
		{
			name:  "a 500 before the delay too",
			steps: []step{{after: 500 * time.Millisecond, status: 500, body: "oops"}},
			took:  500 * time.Millisecond, status: 500, body: "oops", kinds: []string{},
		},
		{
			name:  "a first attempt that breaks waits for the copy",
			steps: []step{{after: 1200 * time.Millisecond, err: errBroken}, {after: time.Second, status: 200, body: "copy"}},
			took:  2 * time.Second, status: 200, body: "copy", kinds: []string{"hedged", "won"},
		},
		{
			name:  "a first attempt with a 502 waits for the copy",
			steps: []step{{after: 1200 * time.Millisecond, status: 502, body: "bad"}, {after: time.Second, status: 200, body: "copy"}},
			took:  2 * time.Second, status: 200, body: "copy", kinds: []string{"hedged", "won"},
		},
		{
			name:  "and is returned, readable, if the copy fails too",
			steps: []step{{after: 1200 * time.Millisecond, status: 502, body: "bad"}, {after: time.Second, err: errBroken}},
			took:  2 * time.Second, status: 502, body: "bad", kinds: []string{"hedged", "lost"},
		},
		{
			name:  "a copy that fails leaves the first alone",
			steps: []step{{after: 3 * time.Second, status: 200, body: "first"}, {after: 100 * time.Millisecond, status: 500, body: "oops"}},
			took:  3 * time.Second, status: 200, body: "first", kinds: []string{"hedged", "lost"},
		},
		{
			name:  "both break: the first one's error",
			steps: []step{{after: 3 * time.Second, err: errBroken}, {after: time.Second, err: errors.New("another")}},
			took:  3 * time.Second, err: errBroken, kinds: []string{"hedged", "lost"},
		},
		{
			name:  "a 404 is an answer",
			steps: []step{{after: time.Minute, status: 200}, {after: time.Second, status: 404, body: "gone"}},
			took:  2 * time.Second, status: 404, body: "gone", kinds: []string{"hedged", "won"},
		},
		{
			name:  "a failed answer too long to keep does not wait",
			steps: []step{{after: 1200 * time.Millisecond, status: 500, body: string(make([]byte, 65<<10))}, {after: time.Second, status: 200}},
			took:  1200 * time.Millisecond, status: 500, body: string(make([]byte, 65<<10)), kinds: []string{"hedged", "lost"},
		},
		{
			name:   "nor does any if nothing is to be kept",
			change: func(c *hedge.Config) { c.KeepResponse = 0 },
			steps:  []step{{after: 1200 * time.Millisecond, status: 500, body: "x"}, {after: time.Second, status: 200}},
			took:   1200 * time.Millisecond, status: 500, body: "x", kinds: []string{"hedged", "lost"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, wrap := range map[string]func(*hedge.Hedge, http.RoundTripper) http.RoundTripper{
				"alone":      func(s *hedge.Hedge, base http.RoundTripper) http.RoundTripper { return s.Wrap(base) },
				"in a chain": func(s *hedge.Hedge, base http.RoundTripper) http.RoundTripper { return middleware.Chain(base, s.Wrap) },
			} {
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var e events
						base := does(tt.steps...)
						stage := newStage(t, config(tt.change), e.option())
						start := time.Now()
						req := request(t.Context(), t)
						resp, err := wrap(stage, base).RoundTrip(req)
						require.Equal(t, tt.took, time.Since(start))
						if tt.err != nil {
							require.ErrorIs(t, err, tt.err)
							require.Nil(t, resp)
						} else {
							require.NoError(t, err)
							require.Equal(t, tt.status, resp.StatusCode)
							require.Same(t, req, resp.Request)
							require.Equal(t, tt.body, text(t, resp))
						}
						require.NoError(t, stage.Stop(t.Context()))
						require.Equal(t, tt.kinds, e.kinds())
						require.Equal(t, base.opened.Load(), base.closed.Load(), "every body is closed")
						require.Equal(t, len(tt.steps), base.attempts())
					})
				})
			}
		})
	}
}

func TestWhatTheEventsSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e events
		stage := newStage(t, config(nil), e.option())
		resp, err := stage.Wrap(does(step{after: time.Minute}, step{after: time.Second, status: 200})).RoundTrip(request(t.Context(), t))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.NoError(t, stage.Stop(t.Context()))
		require.Len(t, e.all, 2)
		hedged, won := e.all[0], e.all[1]
		require.Equal(t, "hedge", hedged.Stage)
		require.Equal(t, key, hedged.Key)
		require.Equal(t, 2, hedged.Attempt)
		require.Equal(t, time.Second, hedged.Wait)
		require.Equal(t, 2, won.Attempt)
		require.Equal(t, 2*time.Second, won.Wait)
		require.Equal(t, middleware.Success, won.Outcome.Verdict)
	})
}

// A loser is no failure of the upstream: to a breaker and a limiter it is neutral.
func TestLosersAreNeutralBelow(t *testing.T) {
	for _, tt := range []struct {
		name  string
		steps []step
		want  map[uint64][]middleware.Verdict
	}{
		{"the first", []step{{after: time.Minute}, {status: 200}}, map[uint64][]middleware.Verdict{1: {middleware.Neutral}, 2: {middleware.Success}}},
		{"the copy", []step{{after: 2 * time.Second, status: 200}, {after: time.Minute}}, map[uint64][]middleware.Verdict{1: {middleware.Success}, 2: {middleware.Neutral}}},
		{"a copy that had failed before is none", []step{{after: 2 * time.Second, status: 200}, {status: 500}}, map[uint64][]middleware.Verdict{1: {middleware.Success}, 2: {middleware.Failure}}},
		{"a first attempt that answers although it was cancelled", []step{{after: 2 * time.Second, status: 200, deaf: true}, {status: 200}}, map[uint64][]middleware.Verdict{1: {middleware.Neutral}, 2: {middleware.Success}}},
		{"a copy that answers although it was cancelled", []step{{after: 2 * time.Second, status: 200}, {after: 9 * time.Second, status: 200, deaf: true}}, map[uint64][]middleware.Verdict{1: {middleware.Success}, 2: {middleware.Neutral}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var v verdicts
				base := does(tt.steps...)
				stage := newStage(t, config(nil))
				resp, err := middleware.Chain(base, stage.Wrap, v.watch).RoundTrip(request(t.Context(), t))
				require.NoError(t, err)
				text(t, resp)
				require.NoError(t, stage.Stop(t.Context()))
				require.Equal(t, tt.want, v.seen())
				require.Equal(t, base.opened.Load(), base.closed.Load())
			})
		})
	}
}

// The call has to wait for a base that does not come back when it is cancelled,
// but it gets the right answer.
func TestABaseThatPaysNoAttention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := does(step{after: 5 * time.Second, status: 200, body: "first", deaf: true}, step{status: 200, body: "copy"})
		start := time.Now()
		resp, err := newStage(t, config(nil)).Wrap(base).RoundTrip(request(t.Context(), t))
		require.NoError(t, err)
		require.Equal(t, 5*time.Second, time.Since(start))
		require.Equal(t, "copy", text(t, resp))
		require.EqualValues(t, 2, base.closed.Load())
	})
}

// A loser that does not come back does not hold up the answer.
func TestACopyThatPaysNoAttention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := does(step{after: 2 * time.Second, status: 200, body: "first"}, step{after: time.Minute, status: 200, deaf: true})
		stage := newStage(t, config(nil))
		start := time.Now()
		resp, err := stage.Wrap(base).RoundTrip(request(t.Context(), t))
		require.NoError(t, err)
		require.Equal(t, "first", text(t, resp))
		require.Equal(t, 2*time.Second, time.Since(start))
		require.Equal(t, 1, stage.Stats().InFlight)
		require.NoError(t, stage.Stop(t.Context()))
		require.Equal(t, time.Minute+time.Second, time.Since(start), "Stop waits for it")
		require.Zero(t, stage.Stats().InFlight)
		require.EqualValues(t, 2, base.closed.Load())
	})
}

func TestTheCallerGivesUp(t *testing.T) {
	t.Run("with a copy in flight", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(2*time.Second, cancel)
			var v verdicts
			start := time.Now()
			stage := newStage(t, config(nil))
			_, err := middleware.Chain(does(), stage.Wrap, v.watch).RoundTrip(request(ctx, t))
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, 2*time.Second, time.Since(start))
			require.NoError(t, stage.Stop(t.Context()))
			require.Equal(t, map[uint64][]middleware.Verdict{1: {middleware.Neutral}, 2: {middleware.Neutral}}, v.seen())
		})
	})
	t.Run("while a failed answer waits for a copy that pays no attention", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			start := time.Now()
			stage := newStage(t, config(nil))
			base := does(step{after: 2 * time.Second, status: 500, body: "oops"}, step{after: time.Minute, status: 200, deaf: true})
			resp, err := stage.Wrap(base).RoundTrip(request(ctx, t))
			require.NoError(t, err)
			require.Equal(t, 3*time.Second, time.Since(start))
			require.Equal(t, 500, resp.StatusCode)
			require.Equal(t, "oops", text(t, resp), "what is known is returned, readable")
			require.NoError(t, stage.Stop(t.Context()))
		})
	})
}

func TestAStoppedStageSendsNoCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newStage(t, config(nil))
		require.NoError(t, stage.Stop(t.Context()))
		base := does(step{after: 5 * time.Second, status: 200})
		start := time.Now()
		resp, err := stage.Wrap(base).RoundTrip(request(t.Context(), t))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, 5*time.Second, time.Since(start), "the call goes on")
		require.Equal(t, 1, base.attempts())
		require.EqualValues(t, 1, stats(stage).Withheld)
	})
}
