package pipeline_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/circuitbreaker"
	"github.com/headgate-go/headgate/pipeline"
)

// A failed attempt whose body can't be kept is what its status says, for the stages
// below and above: a 429 is no failure for the breaker, and the fallback knows when
// to come back.
func TestAnAttemptThatCannotBeKeptIsWhatItsStatusSays(t *testing.T) {
	for name, body := range map[string]func(*http.Request) io.ReadCloser{
		"too slow": func(req *http.Request) io.ReadCloser {
			r, w := io.Pipe()
			go func() {
				<-req.Context().Done()
				_ = w.CloseWithError(req.Context().Err())
			}()
			return r
		},
		"too long": func(*http.Request) io.ReadCloser { return io.NopCloser(bytes.NewReader(make([]byte, 1<<20))) },
	} {
		t.Run(name, func(t *testing.T) {
			up := &upstreams{answers: map[string]func(*http.Request) (*http.Response, error){"b.test": status(200)}}
			up.answers["a.test"] = func(req *http.Request) (*http.Response, error) {
				resp := response(req, http.StatusTooManyRequests, body(req))
				resp.Header.Set("Retry-After", "30")
				return resp, nil
			}
			cfg := pipeline.Config{Order: []string{"fallback", "retry", "circuit_breaker", "rate_limit"}, Stages: map[string]any{
				"fallback":   toUpstreams("b"),
				"rate_limit": map[string]any{"requests": 2, "per": "1h", "burst": 2}, // so that the third attempt is refused
			}}
			compose(t, cfg, up, func(t *testing.T, p *pipeline.Pipeline) {
				for range 2 {
					resp := ask(t, p, request(t, t.Context(), http.MethodGet, "http://a.test/"))
					require.Equal(t, "b; reason=pushback", resp.Header.Get("Headgate-Fallback"))
				}
				require.Equal(t, []string{"a.test", "a.test", "b.test", "b.test"}, up.log(), "a is away")
				for _, b := range report[[]circuitbreaker.KeyStats](t, p, "circuit_breaker") {
					require.Zero(t, b.Failures, b.Key)
				}
			})
		})
	}
}
