package pipeline_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
	"github.com/headgate-go/headgate/pipeline"
)

// upstreams is a base with an answer for each host, or for a host and a model. It
// notes who was asked, and when.
type upstreams struct {
	answers map[string]func(*http.Request) (*http.Response, error)

	mu    sync.Mutex
	asked []string
	at    []time.Time
}

func (u *upstreams) RoundTrip(req *http.Request) (*http.Response, error) {
	var content struct{ Model string }
	if req.Body != nil {
		_ = json.NewDecoder(req.Body).Decode(&content)
		_ = req.Body.Close()
	}
	key := req.URL.Host
	if content.Model != "" {
		key += "/" + content.Model
	}
	u.mu.Lock()
	u.asked, u.at = append(u.asked, key), append(u.at, time.Now())
	u.mu.Unlock()
	return u.answers[key](req)
}

// log gives who was asked since the last look.
func (u *upstreams) log() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	asked := u.asked
	u.asked = nil
	return asked
}

// status answers with a status and header fields: name, value, name, value ...
func status(code int, header ...string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		resp := response(req, code, io.NopCloser(strings.NewReader("{}")))
		for i := 0; i < len(header); i += 2 {
			resp.Header.Set(header[i], header[i+1])
		}
		return resp, nil
	}
}

// silent answers when nobody waits any more.
func silent(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

// toUpstreams are the settings of a fallback that asks the hosts of these names.
func toUpstreams(names ...string) map[string]any {
	var answers []any
	for _, name := range names {
		answers = append(answers, map[string]any{"upstream": map[string]any{"name": name, "url": "http://" + name + ".test"}})
	}
	return map[string]any{"answers": answers}
}

// ask makes a call and reads its answer.
func ask(t *testing.T, p *pipeline.Pipeline, req *http.Request) *http.Response {
	t.Helper()
	resp, err := p.RoundTrip(req)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp
}

// compose has a pipeline of real stages over base, within a bubble.
func compose(t *testing.T, cfg pipeline.Config, base http.RoundTripper, f func(*testing.T, *pipeline.Pipeline)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, err := pipeline.New("api", cfg, pipeline.WithBase(base))
		require.NoError(t, err)
		require.NoError(t, p.Start(t.Context()))
		f(t, p)
		require.NoError(t, p.Stop(t.Context()))
	})
}

// Another model of the same provider has a breaker and limits of its own: what
// the first model asked for does not stand in its way.
func TestAnotherModelOfTheSameProviderAnswers(t *testing.T) {
	up := &upstreams{answers: map[string]func(*http.Request) (*http.Response, error){
		"api.deepseek.com/big":   status(429, "Retry-After", "600"),
		"api.deepseek.com/small": status(200),
	}}
	answer := map[string]any{"upstream": map[string]any{"name": "small", "url": "https://api.deepseek.com/v1", "strip": "/v1", "model": "small", "body_bytes": "1MiB"}}
	cfg := pipeline.Config{Extends: "llm", Off: []string{"llm"}, Stages: map[string]any{
		"fallback":        map[string]any{"answers": []any{answer}},
		"circuit_breaker": map[string]any{"key": "model", "consecutive_failures": 1, "failures": []string{"pushback"}},
	}}
	compose(t, cfg, up, func(t *testing.T, p *pipeline.Pipeline) {
		begin := time.Now()
		for range 2 {
			resp := ask(t, p, completion(t, "big"))
			require.Equal(t, "small; reason=pushback", resp.Header.Get("Headgate-Fallback"))
		}
		require.Equal(t, []string{"api.deepseek.com/big", "api.deepseek.com/small", "api.deepseek.com/small"}, up.log())
		require.Equal(t, begin, time.Now(), "and nobody has waited")
	})
}

// While the primary is away the others are asked first, and then the primary all
// the same: that is no second round.
func TestACallWhosePrimaryIsAwayKeepsToItsAttempts(t *testing.T) {
	up := &upstreams{answers: map[string]func(*http.Request) (*http.Response, error){
		"a.test": status(429, "Retry-After", "3600"), "b.test": status(503), "c.test": status(503),
	}}
	cfg := pipeline.Config{Order: []string{"fallback", "retry"}, Stages: map[string]any{
		"fallback": toUpstreams("b", "c"), "retry": map[string]any{"max_attempts": 3},
	}}
	compose(t, cfg, up, func(t *testing.T, p *pipeline.Pipeline) {
		require.Contains(t, p.String(), "at most 5 upstream requests")
		require.Equal(t, 429, ask(t, p, request(t, t.Context(), http.MethodGet, "http://a.test/")).StatusCode)
		up.log()
		require.Equal(t, 429, ask(t, p, request(t, t.Context(), http.MethodGet, "http://a.test/")).StatusCode)
		require.Equal(t, []string{"b.test", "b.test", "b.test", "c.test", "a.test"}, up.log())
		require.Equal(t, uint64(2), report[fallback.Stats](t, p, "fallback").Failed, "one for each call")
	})
}

// What comes after another upstream that hangs still reaches the caller in time,
// and the breaker of that upstream does not take the caller's haste for a failure.
func TestTheLastAnswerComesBeforeTheDeadlineThoughAnotherUpstreamHangs(t *testing.T) {
	up := &upstreams{answers: map[string]func(*http.Request) (*http.Response, error){"a.test": status(503), "b.test": silent}}
	answers := append(toUpstreams("b")["answers"].([]any), map[string]any{"static": map[string]any{"status": 200}})
	cfg := pipeline.Config{Extends: "standard", Stages: map[string]any{"fallback": map[string]any{"answers": answers}}}
	compose(t, cfg, up, func(t *testing.T, p *pipeline.Pipeline) {
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		resp := ask(t, p, request(t, ctx, http.MethodGet, "http://a.test/"))
		require.Equal(t, "static; reason=busy", resp.Header.Get("Headgate-Fallback"))
		require.Equal(t, 4980*time.Millisecond, time.Since(begin))
		for _, b := range report[[]circuitbreaker.KeyStats](t, p, "circuit_breaker") {
			require.Equal(t, b.Key == "a.test", b.Failures > 0, b.Key)
		}
	})
}
