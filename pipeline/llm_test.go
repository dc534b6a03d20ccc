package pipeline_test

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/llm"
	"github.com/headgate-go/headgate/middleware/ratelimit"
	"github.com/headgate-go/headgate/pipeline"
)

// model answers one call after the other with the next of its answers.
func model(answers ...string) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, req.Body)
		resp := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Request: req, ContentLength: -1}
		resp.Body = io.NopCloser(strings.NewReader(answers[0]))
		if len(answers) > 1 {
			answers = answers[1:]
		}
		return resp, nil
	})
}

func completion(t *testing.T, model string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.deepseek.com/v1/chat/completions", strings.NewReader(`{"model":"`+model+`","stream":true}`))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	return req
}

func chat(t *testing.T, p *pipeline.Pipeline, model string) (*http.Response, string, error) {
	t.Helper()
	resp, err := p.RoundTrip(completion(t, model))
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, resp.Body.Close())
	return resp, string(text), err
}

const (
	answer     = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":80,\"completion_tokens\":20}}\n\ndata: [DONE]\n\n"
	serverBusy = ": keep-alive\n\ndata: {\"error\":{\"message\":\"server busy\",\"code\":\"server_is_overloaded\"}}\n\n"
)

func report[S any](t *testing.T, p *pipeline.Pipeline, id string) S {
	t.Helper()
	for _, s := range p.Report() {
		if s.ID == id {
			return s.Stats.(S)
		}
	}
	t.Fatal("no stage ", id)
	panic("unreachable")
}

func TestTheLLMPresetComesBackAfterAnErrorWithinA200(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := pipeline.New("deepseek", pipeline.Config{Extends: "llm"}, pipeline.WithBase(model(serverBusy, ": keep-alive\n\n", answer)))
		require.NoError(t, err)
		resp, text, err := chat(t, p, "deepseek-chat")
		require.NoError(t, err)
		require.Equal(t, 200, resp.StatusCode)
		require.Equal(t, answer, text)
		require.NoError(t, p.Stop(t.Context()))
	})
}

func TestTheLLMPresetGivesUpWithTheRealError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := pipeline.New("deepseek", pipeline.Config{Extends: "llm"}, pipeline.WithBase(model(serverBusy)))
		require.NoError(t, err)
		resp, text, err := chat(t, p, "deepseek-chat")
		require.NoError(t, err)
		require.Equal(t, 503, resp.StatusCode)
		require.Equal(t, "false", resp.Header.Get("X-Should-Retry"), "an SDK above is not to multiply the attempts")
		require.JSONEq(t, `{"error":{"message":"server busy","code":"server_is_overloaded"}}`, text)
		require.NoError(t, p.Stop(t.Context()))
	})
}

func TestAStreamThatIsCutIsAFailureForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut, _, _ := strings.Cut(answer, `,"finish`)
		p, err := pipeline.New("deepseek", pipeline.Config{Order: []string{"circuit_breaker", "llm"}, Stages: map[string]any{"circuit_breaker": map[string]any{"consecutive_failures": 1}}},
			pipeline.WithBase(model(cut+"}]}\n\n")))
		require.NoError(t, err)
		_, _, err = chat(t, p, "deepseek-chat")
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.deepseek.com", nil)
		_, err = p.RoundTrip(req)
		require.ErrorIs(t, err, middleware.ErrRejected)
		require.NoError(t, p.Stop(t.Context()))
	})
}

func TestTokensPerMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := pipeline.New("deepseek", pipeline.Config{Order: []string{"rate_limit", "llm"}, Stages: map[string]any{
			"rate_limit": map[string]any{"key": "model", "units": map[string]any{"limit": 1000, "per": "1m"}},
		}}, pipeline.WithBase(model(answer)))
		require.NoError(t, err)
		for range 5 { // each is taken for 506 tokens before, and was 100
			_, _, err = chat(t, p, "a")
			require.NoError(t, err)
		}
		begin := time.Now()
		stats := report[[]ratelimit.KeyStats](t, p, "rate_limit")
		require.Len(t, stats, 1)
		require.Equal(t, "api.deepseek.com/a", stats[0].Key)
		require.Equal(t, uint64(500), stats[0].Spent)
		_, _, err = chat(t, p, "b")
		require.NoError(t, err, "each model has a budget of its own")
		require.Equal(t, begin, time.Now(), "and nobody has waited")
		_, _, err = chat(t, p, "a")
		require.NoError(t, err)
		require.Equal(t, 6*time.Second*60/1000, time.Since(begin).Round(time.Millisecond), "500 are left, 506 are needed, and 1000 come in a minute")
		tokens := report[[]llm.KeyStats](t, p, "llm")
		require.Len(t, tokens, 2)
		for _, k := range tokens {
			require.Equal(t, k.Requests*80, k.Input)
			require.Equal(t, k.Requests*20, k.Output)
			require.Zero(t, k.Wasted)
		}
		require.NoError(t, p.Stop(t.Context()))
	})
}

// A quota that is used up comes as a 429 too, and took no tokens either.
func TestRefusedRequestsGetTheirTokensBack(t *testing.T) {
	for name, body := range map[string]string{
		"too many requests":     `{"error":{"code":"rate_limit_exceeded"}}`,
		"a quota is used up":    `{"error":{"code":"insufficient_quota"}}`,
		"an overload, in words": `{"error":{"code":"server_is_overloaded"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			up := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
				middleware.CloseBody(req)
				resp := response(req, 429, io.NopCloser(strings.NewReader(body)))
				resp.Header.Set("Content-Type", "application/json")
				return resp, nil
			})
			cfg := pipeline.Config{Extends: "llm", Stages: map[string]any{"rate_limit": map[string]any{"units": map[string]any{"limit": 5000, "per": "1m"}}}}
			compose(t, cfg, up, func(t *testing.T, p *pipeline.Pipeline) {
				resp, _, err := chat(t, p, "deepseek-chat")
				require.NoError(t, err)
				require.Equal(t, 429, resp.StatusCode)
				require.Zero(t, report[[]ratelimit.KeyStats](t, p, "rate_limit")[0].Spent)
			})
		})
	}
}

// faulty is a base that fails as often as it is told to, and gives the answer afterwards.
type faulty struct {
	times    int
	err      error // nil for a 500
	requests atomic.Int64
}

func (f *faulty) RoundTrip(req *http.Request) (*http.Response, error) {
	middleware.CloseBody(req)
	n := int(f.requests.Add(1))
	resp := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Request: req, ContentLength: -1, Body: io.NopCloser(strings.NewReader(answer))}
	if n > f.times {
		return resp, nil
	}
	if f.err != nil {
		return nil, f.err
	}
	resp.StatusCode, resp.Header, resp.Body = 500, http.Header{}, http.NoBody
	return resp, nil
}

func TestTheLLMPresetRepeatsACompletionThatMayHaveBeenProcessed(t *testing.T) {
	for name, err := range map[string]error{"500": nil, "a reset": syscall.ECONNRESET} {
		for _, off := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, switched off %v", name, off), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cfg := pipeline.Config{Extends: "llm"}
					if off {
						cfg.Stages = map[string]any{"retry": map[string]any{"non_idempotent": false}}
					}
					up := &faulty{times: 1, err: err}
					p, err := pipeline.New("deepseek", cfg, pipeline.WithBase(up))
					require.NoError(t, err)
					req := completion(t, "deepseek-chat")
					resp, err := p.RoundTrip(req)
					if off {
						require.EqualValues(t, 1, up.requests.Load())
						require.True(t, err != nil || resp.StatusCode == 500)
					} else {
						require.NoError(t, err)
						require.Equal(t, 200, resp.StatusCode)
						require.EqualValues(t, 2, up.requests.Load())
					}
					if resp != nil {
						require.NoError(t, resp.Body.Close())
					}
					require.NoError(t, p.Stop(t.Context()))
				})
			})
		}
	}
}

// What may be paid twice is bounded: while the upstream fails for everybody, the
// budget has a fifth of the calls repeated, not each of them three times.
func TestTheLLMPresetBoundsWhatMayBePaidTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &faulty{times: math.MaxInt}
		p, err := pipeline.New("deepseek", pipeline.Config{Extends: "llm", Order: []string{"retry", "llm"}}, pipeline.WithBase(up))
		require.NoError(t, err)
		const calls = 1000
		var wg sync.WaitGroup
		for range calls { // 20 a second
			wg.Go(func() {
				resp, err := p.RoundTrip(completion(t, "deepseek-chat"))
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
			})
			time.Sleep(50 * time.Millisecond)
		}
		wg.Wait()
		floor := 3 * 10 // what is always allowed within a window
		require.LessOrEqual(t, int(up.requests.Load()), calls*12/10+floor)
		require.Greater(t, int(up.requests.Load()), calls*11/10, "and the budget is used")
		require.NoError(t, p.Stop(t.Context()))
	})
}

// An SDK that repeats a call after an error, of which there is no advice, adds one request each time.
func TestSDKsDoNotMultiplyTheAttemptsOfTheLLMPreset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &faulty{times: math.MaxInt, err: syscall.ECONNRESET}
		p, err := pipeline.New("deepseek", pipeline.Config{Extends: "llm"}, pipeline.WithBase(up))
		require.NoError(t, err)
		for n := range 3 {
			req := completion(t, "deepseek-chat")
			req.Header.Set("X-Stainless-Retry-Count", strconv.Itoa(n))
			_, err = p.RoundTrip(req)
			require.ErrorIs(t, err, syscall.ECONNRESET)
		}
		require.EqualValues(t, 4+1+1, up.requests.Load())
		require.NoError(t, p.Stop(t.Context()))
	})
}
