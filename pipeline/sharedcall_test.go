package pipeline_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
	"github.com/headgate-go/headgate/pipeline"
)

type spanKey struct{}

// tracer is a stage of a user's own that passes something on in the request's context.
func tracer(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
		return next.RoundTrip(req.WithContext(context.WithValue(req.Context(), spanKey{}, "span")))
	})
}

// What the cache sends in a call of its own, because several callers share it or
// because nobody waits for it, has the values that stages further out put into the context.
func TestWhatStagesPutIntoTheContextReachesTheUpstreamThroughTheCache(t *testing.T) {
	own := registry(t, pipeline.Define("tracer", func() probe { return probe{} }, func(probe, pipeline.Env) (pipeline.Stage[probe], error) {
		return pipeline.Stage[probe]{Wrap: tracer}, nil
	}))
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			if req.Context().Value(spanKey{}) == "span" {
				asked.Add(1)
			}
			return status(200, "Cache-Control", "max-age=1, stale-while-revalidate=60")(req)
		})
		p, err := own.New("api", pipeline.Config{Order: []string{"tracer", "cache", "retry"}}, pipeline.WithBase(base))
		require.NoError(t, err)
		require.Equal(t, 200, get(t, p))
		time.Sleep(2 * time.Second)
		require.Equal(t, 200, get(t, p), "stale, and refreshed in the background")
		synctest.Wait()
		require.EqualValues(t, 2, asked.Load())
		require.NoError(t, p.Stop(t.Context()))
	})
}

// hurry is a stage of a user's own that bounds a call with package context.
func hurry(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
		ctx, cancel := context.WithTimeout(req.Context(), time.Second)
		defer cancel()
		return next.RoundTrip(req.WithContext(ctx))
	})
}

func TestABoundInTheContextHoldsThroughTheCache(t *testing.T) {
	own := registry(t, pipeline.Define("hurry", func() probe { return probe{} }, func(probe, pipeline.Env) (pipeline.Stage[probe], error) {
		return pipeline.Stage[probe]{Wrap: hurry}, nil
	}))
	synctest.Test(t, func(t *testing.T) {
		p, err := own.New("api", pipeline.Config{Order: []string{"hurry", "cache", "retry"}}, pipeline.WithBase(middleware.RoundTripperFunc(silent)))
		require.NoError(t, err)
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = p.RoundTrip(request(t, ctx, http.MethodGet, "http://a.test/"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(begin))
		require.NoError(t, p.Stop(t.Context()))
	})
}

// A base may need a while to come back from a call that everybody has left.
func TestStopWaitsForASharedCallThatEverybodyHasLeft(t *testing.T) {
	slow := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		defer time.Sleep(time.Second)
		return silent(req)
	})
	compose(t, pipeline.Config{Order: []string{"cache"}}, slow, func(t *testing.T, p *pipeline.Pipeline) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := p.RoundTrip(request(t, ctx, http.MethodGet, "http://a.test/"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		begin := time.Now()
		require.NoError(t, p.Stop(t.Context()))
		require.Equal(t, time.Second, time.Since(begin))
	})
}

// Stages that a reload takes away are stopped when their own calls are over. Who
// comes later shares none of those calls, in which the stages are still in use.
func TestNobodyJoinsASharedCallFromBeforeAReload(t *testing.T) {
	j := new(journal)
	r := registry(t, probing("probe", j, nil))
	synctest.Test(t, func(t *testing.T) {
		order := func(ids ...string) pipeline.Config { return pipeline.Config{Order: ids} }
		base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			defer func() { j.add("back") }()
			return silent(req)
		})
		p, err := r.New("api", order("cache", "probe/a"), pipeline.WithBase(base))
		require.NoError(t, err)
		require.NoError(t, p.Start(t.Context()))
		call := func() context.CancelFunc {
			ctx, cancel := context.WithCancel(t.Context())
			req := request(t, ctx, http.MethodGet, "http://a.test/")
			go func() { _, _ = p.RoundTrip(req) }()
			synctest.Wait()
			return cancel
		}
		first := call()
		reloaded := make(chan error, 1)
		go func() { reloaded <- p.Reload(t.Context(), order("cache", "probe/b")) }()
		synctest.Wait()
		second := call()
		require.Equal(t, []string{"start probe/a", "call probe/a", "start probe/b", "call probe/b"}, j.take())
		first()
		require.NoError(t, <-reloaded)
		synctest.Wait()
		require.ElementsMatch(t, []string{"back", "stop probe/a"}, j.take())
		second()
		require.NoError(t, p.Stop(t.Context()))
	})
}

// The limit of a stage counts as a failure of the upstream, the caller's own
// deadline does not, also where the request goes on in a call that the cache shares.
func TestWhoseTimeWasOverIsKnownThroughTheCache(t *testing.T) {
	for name, reads := range map[string]bool{"no headers": false, "the body hangs": true} {
		for _, limited := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, limited %v", name, limited), func(t *testing.T) {
				up := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
					if !reads {
						return silent(req)
					}
					r, w := io.Pipe()
					context.AfterFunc(req.Context(), func() { _ = w.CloseWithError(req.Context().Err()) })
					return response(req, http.StatusOK, r), nil
				})
				cfg := pipeline.Config{Order: []string{"timeout", "cache", "circuit_breaker"}, Stages: map[string]any{"timeout": map[string]any{"limit": "10s"}}}
				ends := 5 * time.Second
				if limited {
					ends = time.Minute
				}
				compose(t, cfg, up, func(t *testing.T, p *pipeline.Pipeline) {
					ctx, cancel := context.WithTimeout(t.Context(), ends)
					defer cancel()
					resp, err := p.RoundTrip(request(t, ctx, http.MethodGet, "http://a.test/"))
					if reads {
						require.NoError(t, err)
						_, err = io.ReadAll(resp.Body)
						require.NoError(t, resp.Body.Close())
					}
					require.ErrorIs(t, err, context.DeadlineExceeded)
					synctest.Wait()
					require.Equal(t, limited, report[[]circuitbreaker.KeyStats](t, p, "circuit_breaker")[0].Failures == 1)
				})
			})
		}
	}
}

// meter is a stage of a user's own that adds up what answers took.
type meter struct{ total atomic.Int64 }

func (m *meter) Used(u middleware.Usage) { m.total.Add(int64(u.Total())) }

func (m *meter) wrap(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
		middleware.FromContext(req.Context()).OnUsage(m)
		return next.RoundTrip(req)
	})
}

func TestWhatASharedCallTookIsToldFurtherOut(t *testing.T) {
	m := new(meter)
	own := registry(t, pipeline.Define("meter", func() probe { return probe{} }, func(probe, pipeline.Env) (pipeline.Stage[probe], error) {
		return pipeline.Stage[probe]{Wrap: m.wrap}, nil
	}))
	synctest.Test(t, func(t *testing.T) {
		routes := []any{map[string]any{"method": "POST", "ttl": "1h"}}
		p, err := own.New("api", pipeline.Config{Extends: "llm", Insert: map[string]pipeline.Position{"meter": {Before: "fallback"}}, Stages: map[string]any{"cache": map[string]any{"routes": routes}}},
			pipeline.WithBase(model(answer)))
		require.NoError(t, err)
		for range 2 { // the second one comes from the cache
			_, text, err := chat(t, p, "deepseek-chat")
			require.NoError(t, err)
			require.Equal(t, answer, text)
		}
		require.EqualValues(t, 100, m.total.Load())
		require.NoError(t, p.Stop(t.Context()))
	})
}
