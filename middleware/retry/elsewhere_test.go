package retry_test

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

// A fallback that sends a call to other upstreams shares its attempts with them:
// max_attempts is a bound of the call, but each of them is asked once.
func TestACallThatGoesElsewhereGoesOnCounting(t *testing.T) {
	for name, test := range map[string]struct {
		answers []any
		hosts   int
		want    int
	}{
		"all attempts were the first upstream's":   {[]any{503}, 3, 3 + 1 + 1},
		"the first one's failure can't be retried": {[]any{402, 503, 200}, 2, 3},
		"the second one's failure, too":            {[]any{402, 402, 200}, 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &script{answers: test.answers}
				elsewhere := func(next http.RoundTripper) http.RoundTripper {
					return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
						ex, inner := middleware.Join(req)
						defer ex.Leave(req, &resp, &err)
						for range test.hosts {
							if resp, err = ask(ex, inner, next); err == nil && resp.StatusCode == http.StatusOK {
								break
							}
						}
						return resp, err
					})
				}
				resp, err := do(t.Context(), middleware.Chain(up, elsewhere, newStage(t, exact(nil)).Wrap), "GET", nil)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				require.Len(t, up.times, test.want)
			})
		})
	}
}

func ask(ex *middleware.Exchange, req *http.Request, next http.RoundTripper) (resp *http.Response, err error) {
	child, out := ex.Child(req)
	defer child.Leave(req, &resp, &err)
	return next.RoundTrip(out)
}
