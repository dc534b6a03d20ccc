package pipeline_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/circuitbreaker"
	"github.com/headgate-go/headgate/middleware/semaphore"
	"github.com/headgate-go/headgate/pipeline"
	"github.com/headgate-go/headgate/transport"
)

func TestReloadKeepsPermits(t *testing.T) {
	limit := func(n int) pipeline.Config {
		return pipeline.Config{Order: []string{"semaphore"}, Stages: map[string]any{"semaphore": map[string]any{"max_concurrent": n, "queue": 0}}}
	}
	p := build(t, limit(3), openBodies)
	first, second := open(t, p), open(t, p)

	require.NoError(t, p.Reload(t.Context(), limit(2)))
	require.Contains(t, p.String(), "max_concurrent: 2")
	_, err := p.RoundTrip(request(t, t.Context(), http.MethodGet, "http://api.example.com/"))
	require.ErrorIs(t, err, semaphore.ErrQueueFull, "the two from before count")
	require.NoError(t, first.Body.Close())
	third := open(t, p)
	require.NoError(t, second.Body.Close())
	require.NoError(t, third.Body.Close())
}

func TestReloadKeepsAnOpenBreakerOpen(t *testing.T) {
	cfg := func(order ...string) pipeline.Config {
		return pipeline.Config{Order: order, Stages: map[string]any{"circuit_breaker": map[string]any{"consecutive_failures": 1, "open_for": "1m"}}}
	}
	p := build(t, cfg("circuit_breaker"), answering(http.StatusInternalServerError))
	require.Equal(t, 500, get(t, p))
	require.NoError(t, p.Reload(t.Context(), cfg("retry", "circuit_breaker", "semaphore")))
	_, err := p.RoundTrip(request(t, t.Context(), http.MethodGet, "http://api.example.com/"))
	require.ErrorIs(t, err, circuitbreaker.ErrOpen)
}

func TestReloadUpdatesOrBuildsAnew(t *testing.T) {
	var updates []probe
	j := new(journal)
	r := registry(t,
		probing("updates", j, func(_ probe, s *pipeline.Stage[probe]) { s.Update = func(c probe) { updates = append(updates, c) } }),
		probing("fixed", j, nil),
		probing("gone", j, nil),
		probing("added", j, nil))
	cfg := func(count int, order ...string) pipeline.Config {
		return pipeline.Config{Order: order, Stages: map[string]any{"updates": probe{Count: count}, "fixed": probe{Count: count}}}
	}
	p, err := r.New("api", cfg(1, "updates", "fixed", "gone"), pipeline.WithBase(ok))
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context()))
	j.take()

	require.NoError(t, p.Reload(t.Context(), cfg(1, "gone", "fixed", "updates")))
	require.Empty(t, j.take(), "another order alone stops and starts nothing")
	require.Equal(t, 200, get(t, p))
	require.Equal(t, []string{"call gone", "call fixed", "call updates"}, j.take())

	updates = nil
	require.NoError(t, p.Reload(t.Context(), cfg(2, "updates", "fixed", "added")))
	require.Equal(t, []probe{{Count: 2}}, updates)
	require.Equal(t, []string{"start fixed", "start added", "stop fixed", "stop gone"}, j.take(), "what can't be updated is built anew")
	require.Equal(t, 200, get(t, p))
	require.Equal(t, []string{"call updates", "call fixed", "call added"}, j.take())

	require.NoError(t, p.Stop(t.Context()))
	require.Equal(t, []string{"stop added", "stop fixed", "stop updates"}, j.take())
}

func TestReloadBeforeStartStartsNothing(t *testing.T) {
	j := new(journal)
	r := registry(t, probing("probe", j, nil))
	p, err := r.New("api", pipeline.Config{Order: []string{"probe/a"}}, pipeline.WithBase(ok))
	require.NoError(t, err)
	require.NoError(t, p.Reload(t.Context(), pipeline.Config{Order: []string{"probe/b"}}))
	require.Empty(t, j.take())
	require.NoError(t, p.Start(t.Context()))
	require.NoError(t, p.Stop(t.Context()))
	require.Equal(t, []string{"start probe/b", "stop probe/b"}, j.take())
}

func TestAReloadThatFailsChangesNothing(t *testing.T) {
	j := new(journal)
	cause := errors.New("no route")
	var updated bool
	r := registry(t,
		probing("probe", j, func(_ probe, s *pipeline.Stage[probe]) { s.Update = func(probe) { updated = true } }),
		probing("broken", j, func(_ probe, s *pipeline.Stage[probe]) { s.Start = func(context.Context) error { return cause } }),
		pipeline.Define("unbuildable", func() probe { return probe{} }, func(probe, pipeline.Env) (pipeline.Stage[probe], error) {
			return pipeline.Stage[probe]{}, cause
		}))
	p, err := r.New("api", pipeline.Config{Order: []string{"probe/a", "probe/b"}}, pipeline.WithBase(ok))
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context()))
	j.take()
	before := p.String()

	for _, test := range []struct {
		name, want string
		cfg        pipeline.Config
		events     []string
	}{
		{
			name: "a bad configuration", want: "stages.probe/a.count: -1 is negative",
			cfg: pipeline.Config{Order: []string{"probe/a"}, Stages: map[string]any{"probe/a": probe{Label: "x", Count: -1}}},
		},
		{
			name: "a stage that can't be built", want: "unbuildable: no route",
			cfg: pipeline.Config{Order: []string{"probe/b", "unbuildable"}},
		},
		{
			name: "a stage that does not start", want: "pipeline api: start broken: no route",
			cfg:    pipeline.Config{Order: []string{"probe/new", "probe/a", "broken"}},
			events: []string{"start probe/new", "stop probe/new"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.ErrorContains(t, p.Reload(t.Context(), test.cfg), test.want)
			require.Equal(t, test.events, j.take())
			require.Equal(t, before, p.String())
			require.Equal(t, 200, get(t, p))
			require.Equal(t, []string{"call probe/a", "call probe/b"}, j.take())
			require.False(t, updated)
		})
	}
	require.NoError(t, p.Stop(t.Context()))
}

func TestCallsUnderWayFinishInTheOldOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(journal)
		r := registry(t, probing("probe", j, nil))
		order := func(ids ...string) pipeline.Config { return pipeline.Config{Order: ids} }
		p, err := r.New("api", order("probe/a", "probe/b"), pipeline.WithBase(openBodies))
		require.NoError(t, err)
		require.NoError(t, p.Start(t.Context()))
		first := open(t, p)

		// The second generation has b too, so that b must outlive the calls of both.
		require.NoError(t, p.Reload(t.Context(), order("probe/b", "probe/a")))
		second := open(t, p)
		j.take()

		done := make(chan error)
		go func() { done <- p.Reload(context.Background(), order("probe/a", "probe/c")) }()
		synctest.Wait()
		third := open(t, p)
		require.Equal(t, []string{"start probe/c", "call probe/a", "call probe/c"}, j.take(), "the new order is in use at once")
		require.NoError(t, second.Body.Close())
		synctest.Wait()
		require.Empty(t, j.take(), "a call from the first generation is still within b")

		// A further reload is not held up by the one that waits.
		require.NoError(t, p.Reload(t.Context(), order("probe/c", "probe/a")))
		require.NoError(t, first.Body.Close())
		require.NoError(t, <-done)
		require.Equal(t, []string{"stop probe/b"}, j.take())

		require.NoError(t, third.Body.Close())
		require.NoError(t, p.Stop(t.Context()))
		require.Equal(t, []string{"stop probe/c", "stop probe/a"}, j.take(), "each one is stopped once")
	})
}

func TestReloadIsBoundedByItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, j := probes(t, openBodies, nil)
		require.NoError(t, p.Start(t.Context()))
		resp := open(t, p)
		j.take()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := p.Reload(ctx, pipeline.Config{Order: []string{"probe/a"}, Stages: map[string]any{"probe/a": probe{Label: "a"}}})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "1 requests are still under way")
		require.Equal(t, []string{"stop probe/c", "stop probe/b"}, j.take())
		require.NotContains(t, p.String(), "probe/b", "the new configuration is in use")
		require.NoError(t, resp.Body.Close())
		require.NoError(t, p.Stop(t.Context()))
	})
}

func TestStopWaitsForCallsOfEveryGeneration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, j := probes(t, openBodies, nil)
		require.NoError(t, p.Start(t.Context()))
		old := open(t, p)
		reloading := make(chan error)
		go func() { reloading <- p.Reload(context.Background(), pipeline.Config{Order: []string{"probe/d"}}) }()
		synctest.Wait()
		j.take()

		stopping := make(chan error)
		go func() { stopping <- p.Stop(context.Background()) }()
		synctest.Wait()
		require.Empty(t, j.take())
		require.NoError(t, old.Body.Close())
		require.NoError(t, <-stopping)
		require.NoError(t, <-reloading)
		require.ElementsMatch(t, []string{"stop probe/a", "stop probe/b", "stop probe/c", "stop probe/d"}, j.take())
	})
}

func TestStopEndsWhatAReloadStillWaitsToStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, j := probes(t, openBodies, nil)
		require.NoError(t, p.Start(t.Context()))
		stuck := open(t, p)
		reloading := make(chan error)
		go func() { reloading <- p.Reload(context.Background(), pipeline.Config{Order: []string{"probe/d"}}) }()
		synctest.Wait()
		j.take()

		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		require.ErrorIs(t, p.Stop(ctx), context.DeadlineExceeded)
		require.Equal(t, []string{"stop probe/d", "stop probe/c", "stop probe/b", "stop probe/a"}, j.take())
		require.NoError(t, stuck.Body.Close())
		require.NoError(t, <-reloading)
		require.Empty(t, j.take())
	})
}

func TestReloadCannotChangeTheTransport(t *testing.T) {
	cfg := transport.DefaultConfig()
	p, err := pipeline.New("api", pipeline.Config{Transport: &cfg})
	require.NoError(t, err)
	same := cfg
	require.NoError(t, p.Reload(t.Context(), pipeline.Config{Transport: &same}))
	require.Empty(t, p.Warnings())

	const message = "can't be reloaded: what it was at the beginning stays in use, until there is a new pipeline"
	cfg.DialTimeout *= 2
	cfg.TLS.MinVersion = "1.3"
	for range 2 { // it is compared with what is in use
		require.NoError(t, p.Reload(t.Context(), pipeline.Config{Transport: &cfg}))
		require.Equal(t, []pipeline.Warning{
			{Path: "transport.dial_timeout", Message: message}, {Path: "transport.tls", Message: message},
		}, p.Warnings())
	}
	require.NoError(t, p.Reload(t.Context(), pipeline.Config{}))
	require.Empty(t, p.Warnings(), "the defaults are what is in use")
	require.NoError(t, p.Stop(t.Context()))
}

// TestReloadUnderTraffic changes order and settings while calls go through, and
// looks for a call that failed or got lost, and for a stage that is used
// before its start or after its stop.
func TestReloadUnderTraffic(t *testing.T) {
	var misused atomic.Int64
	j := new(journal)
	r := registry(t, probing("life", j, func(cfg probe, s *pipeline.Stage[probe]) {
		var alive atomic.Bool
		s.Start = func(context.Context) error { alive.Store(true); return nil }
		s.Stop = func(context.Context) error { alive.Store(false); return nil }
		wrap := s.Wrap
		s.Wrap = func(next http.RoundTripper) http.RoundTripper {
			inner := wrap(next)
			return roundTripper(func(req *http.Request) (*http.Response, error) {
				resp, err := inner.RoundTrip(req)
				if !alive.Load() {
					misused.Add(1)
				}
				return resp, err
			})
		}
	}))
	base := roundTripper(func(req *http.Request) (*http.Response, error) {
		return response(req, http.StatusOK, io.NopCloser(strings.NewReader("ok"))), nil
	})
	cfgs := []pipeline.Config{
		{Order: []string{"life/a", "retry", "semaphore"}},
		{Order: []string{"retry", "life/b", "circuit_breaker", "semaphore"}},
		{Order: []string{"semaphore", "life/a", "life/b"}, Stages: map[string]any{"life/a": probe{Count: 2}}},
		{},
	}
	p, err := r.New("api", cfgs[0], pipeline.WithBase(base))
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context()))

	ctx, cancel := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	var calls atomic.Int64
	for range 8 {
		callers.Go(func() {
			for ctx.Err() == nil {
				if get(t, p) == http.StatusOK {
					calls.Add(1)
				}
			}
		})
	}
	var reloaders sync.WaitGroup
	for n := range 2 {
		reloaders.Go(func() {
			for i := range 200 {
				if err := p.Reload(t.Context(), cfgs[(i*(n+1)+n)%len(cfgs)]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	reloaders.Wait()
	cancel()
	callers.Wait()
	require.NoError(t, p.Stop(context.WithoutCancel(t.Context())))
	require.Zero(t, misused.Load())
	require.Positive(t, calls.Load())
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
