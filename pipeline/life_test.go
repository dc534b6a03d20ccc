package pipeline_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline"
)

func TestNewDoesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, extends := range []string{"standard", "llm"} {
		_, err := pipeline.New("api", pipeline.Config{Extends: extends}, pipeline.WithBase(untouched(t)))
		require.NoError(t, err)
		_, err = pipeline.New("api", pipeline.Config{Extends: extends})
		require.NoError(t, err)
	}
}

// probes is a pipeline of three probes, a, b and c. change is as in probing.
func probes(t *testing.T, base http.RoundTripper, change func(cfg probe, s *pipeline.Stage[probe])) (*pipeline.Pipeline, *journal) {
	t.Helper()
	j := new(journal)
	r := registry(t, probing("probe", j, change))
	p, err := r.New("api", pipeline.Config{
		Order: []string{"probe/a", "probe/b", "probe/c"},
		Stages: map[string]any{
			"probe/a": probe{Label: "a"}, "probe/b": probe{Label: "b"}, "probe/c": probe{Label: "c"},
		},
	}, pipeline.WithBase(base))
	require.NoError(t, err)
	return p, j
}

func TestStartAndStop(t *testing.T) {
	p, j := probes(t, ok, nil)
	require.Empty(t, j.take(), "New starts nothing")

	require.NoError(t, p.Start(t.Context()))
	require.Equal(t, []string{"start probe/a", "start probe/b", "start probe/c"}, j.take())
	require.NoError(t, p.Start(t.Context()))
	require.Empty(t, j.take(), "starting twice does nothing")

	require.Equal(t, 200, get(t, p))
	require.Equal(t, []string{"call probe/a", "call probe/b", "call probe/c"}, j.take())

	require.NoError(t, p.Stop(t.Context()))
	require.Equal(t, []string{"stop probe/c", "stop probe/b", "stop probe/a"}, j.take())
	require.NoError(t, p.Stop(t.Context()))
	require.Empty(t, j.take(), "stopping twice does nothing")

	require.ErrorIs(t, p.Start(t.Context()), pipeline.ErrStopped)
	require.ErrorIs(t, p.Reload(t.Context(), pipeline.Config{}), pipeline.ErrStopped)
	require.Empty(t, j.take())
}

func TestStopBeforeStart(t *testing.T) {
	p, j := probes(t, ok, nil)
	require.NoError(t, p.Stop(t.Context()))
	require.Empty(t, j.take(), "what was not started is not stopped")
}

func TestAStartThatFailsIsTakenBack(t *testing.T) {
	cause, broken := errors.New("no route"), true
	ctx, cancel := context.WithCancel(t.Context())
	p, j := probes(t, ok, func(cfg probe, s *pipeline.Stage[probe]) {
		stop := s.Stop
		s.Stop = func(ctx context.Context) error {
			require.NoError(t, ctx.Err(), "there is time to stop though the start's context has ended")
			return stop(ctx)
		}
		if start := s.Start; cfg.Label == "c" {
			s.Start = func(ctx context.Context) error {
				if broken {
					cancel()
					return cause
				}
				return start(ctx)
			}
		}
	})
	err := p.Start(ctx)
	require.ErrorIs(t, err, cause)
	require.ErrorContains(t, err, "pipeline api: start probe/c: no route")
	require.Equal(t, []string{"start probe/a", "start probe/b", "stop probe/b", "stop probe/a"}, j.take())

	require.Equal(t, 200, get(t, p), "it serves all the same")
	j.take()
	broken = false
	require.NoError(t, p.Start(t.Context()), "and can be started again")
	require.Equal(t, []string{"start probe/a", "start probe/b", "start probe/c"}, j.take())
	require.NoError(t, p.Stop(t.Context()))
}

func TestStopGoesOnAfterAnError(t *testing.T) {
	p, j := probes(t, ok, func(cfg probe, s *pipeline.Stage[probe]) {
		if stop := s.Stop; cfg.Label != "b" {
			s.Stop = func(ctx context.Context) error { return errors.Join(stop(ctx), errors.New(cfg.Label+" is stuck")) }
		}
	})
	require.NoError(t, p.Start(t.Context()))
	j.take()
	err := p.Stop(t.Context())
	require.ErrorContains(t, err, "stop probe/c: c is stuck")
	require.ErrorContains(t, err, "stop probe/a: a is stuck")
	require.Equal(t, []string{"stop probe/c", "stop probe/b", "stop probe/a"}, j.take())
}

type closing struct {
	*strings.Reader
	closed int
}

func (c *closing) Close() error { c.closed++; return nil }

func TestRoundTripWithoutStartAndAfterStop(t *testing.T) {
	p := build(t, pipeline.Config{Extends: "standard"}, ok)
	require.Equal(t, 200, get(t, p), "without Start")
	require.NoError(t, p.Stop(t.Context()))

	body := &closing{Reader: strings.NewReader("hello")}
	req := request(t, t.Context(), http.MethodPost, "http://api.example.com/")
	req.Body = body
	resp, err := p.RoundTrip(req)
	require.Nil(t, resp)
	require.ErrorIs(t, err, pipeline.ErrStopped)
	require.ErrorIs(t, err, middleware.ErrRejected)
	require.EqualError(t, err, "pipeline: api: the pipeline is stopped")
	require.Equal(t, 1, body.closed, "the request's body")
}

func TestStopWaitsForOpenBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, j := probes(t, openBodies, nil)
		require.NoError(t, p.Start(t.Context()))
		first, second := open(t, p), open(t, p)
		j.take()

		start := time.Now()
		done := make(chan error)
		go func() { done <- p.Stop(context.Background()) }()
		time.Sleep(time.Second)
		require.NoError(t, first.Body.Close())
		time.Sleep(time.Second)
		require.Empty(t, j.take(), "no stage is stopped while a body is open")
		_, err := p.RoundTrip(request(t, t.Context(), http.MethodGet, "http://api.example.com/"))
		require.ErrorIs(t, err, pipeline.ErrStopped, "new requests are turned away at once")
		require.NoError(t, second.Body.Close())
		require.NoError(t, <-done)
		require.Equal(t, 2*time.Second, time.Since(start))
		require.Equal(t, []string{"stop probe/c", "stop probe/b", "stop probe/a"}, j.take())
	})
}

func TestStopIsBoundedByItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, j := probes(t, openBodies, nil)
		require.NoError(t, p.Start(t.Context()))
		resp := open(t, p)
		j.take()

		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		start := time.Now()
		err := p.Stop(ctx)
		require.Equal(t, 3*time.Second, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "pipeline api: 1 requests are still under way")
		require.Equal(t, []string{"stop probe/c", "stop probe/b", "stop probe/a"}, j.take(), "the stages are stopped all the same")
		require.NoError(t, resp.Body.Close())
	})
}

func TestStopDoesNotWaitForeverForAStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := probes(t, ok, func(cfg probe, s *pipeline.Stage[probe]) {
			s.Start = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		})
		starting, giveUp := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- p.Start(starting) }()
		synctest.Wait()

		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		for name, err := range map[string]error{"stop": p.Stop(ctx), "start": p.Start(ctx), "reload": p.Reload(ctx, pipeline.Config{})} {
			require.ErrorIs(t, err, context.DeadlineExceeded, name)
			require.ErrorContains(t, err, "another Start, Stop or Reload is under way", name)
		}
		giveUp()
		require.ErrorIs(t, <-done, context.Canceled)
		require.NoError(t, p.Stop(context.Background()))
	})
}

func TestACallIsOverHoweverItEnds(t *testing.T) {
	for name, base := range map[string]http.RoundTripper{
		"with an error": middleware.RoundTripperFunc(func(*http.Request) (*http.Response, error) { return nil, errors.New("reset") }),
		"with a panic":  middleware.RoundTripperFunc(func(*http.Request) (*http.Response, error) { panic("a bug") }),
		"without a body": middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			return response(req, http.StatusNoContent, http.NoBody), nil
		}),
		"by the caller's cancel": openBodies,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, _ := probes(t, base, nil)
				ctx, cancel := context.WithCancel(t.Context())
				func() {
					defer func() { _ = recover() }()
					_, _ = p.RoundTrip(request(t, ctx, http.MethodGet, "http://api.example.com/"))
				}()
				cancel()
				synctest.Wait()
				stopping, stop := context.WithTimeout(context.Background(), time.Second)
				defer stop()
				require.NoError(t, p.Stop(stopping))
			})
		})
	}
}

type idle struct {
	http.RoundTripper
	closed int
}

func (i *idle) CloseIdleConnections() { i.closed++ }

func TestCloseIdleConnectionsReachesTheBase(t *testing.T) {
	base := &idle{RoundTripper: ok}
	p := build(t, pipeline.Config{Extends: "standard"}, base)
	p.Client().CloseIdleConnections()
	require.Equal(t, 1, base.closed)
	require.NoError(t, p.Stop(t.Context()))
	require.Equal(t, 2, base.closed, "Stop does it too")
	require.NoError(t, p.Stop(t.Context()))
	require.Equal(t, 2, base.closed, "once")
}

func TestResponsesCarryTheCallersRequest(t *testing.T) {
	p := build(t, pipeline.Config{Extends: "standard"}, ok)
	req := request(t, t.Context(), http.MethodGet, "http://api.example.com/")
	resp, err := p.RoundTrip(req)
	require.NoError(t, err)
	require.Same(t, req, resp.Request)
	finish(t, resp)
}

func TestAStageThatHasOnlyAStopIsStopped(t *testing.T) {
	for name, start := range map[string]bool{"started": true, "never started": false} {
		t.Run(name, func(t *testing.T) {
			j := new(journal)
			r := registry(t, probing("probe", j, func(_ probe, s *pipeline.Stage[probe]) {
				s.Start, s.Stop = nil, func(context.Context) error { j.add("stopped"); return nil }
			}))
			p, err := r.New("api", pipeline.Config{Order: []string{"probe"}}, pipeline.WithBase(ok))
			require.NoError(t, err)
			if start {
				require.NoError(t, p.Start(t.Context()))
			}
			require.NoError(t, p.Stop(t.Context()))
			require.Contains(t, j.take(), "stopped")
		})
	}
}
