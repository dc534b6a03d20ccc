package middlewaretest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func identity(testing.TB) middleware.Middleware {
	return func(next http.RoundTripper) http.RoundTripper { return next }
}

// refuser refuses every call as the contract wants it.
func refuser(testing.TB) middleware.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			middleware.CloseBody(req)
			return nil, middleware.ErrRejected
		})
	}
}

func TestAStageThatDoesNothingPassesEverything(t *testing.T) {
	Run(t, identity, Refuses(refuser))
}

// leases is a stage as the contract wants it: it joins the call's exchange and gives its slot back when that ends.
func leases(testing.TB) middleware.Middleware {
	s := make(slotPool, rounds)
	return func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
			ex, inner := middleware.Join(req)
			defer ex.Leave(req, &resp, &err)
			select {
			case s <- struct{}{}:
			case <-ex.Done():
				middleware.CloseBody(req)
				return nil, ex.Err()
			}
			ex.OnEnd(s, 0)
			return next.RoundTrip(inner)
		})
	}
}

type slotPool chan struct{}

func (s slotPool) Settle(uint64, middleware.End) { <-s }

func TestAStageThatSettlesWithItsExchangePassesEverything(t *testing.T) {
	Run(t, leases, Refuses(refuser))
}

func TestACacheableAnswerIsNoDifferentForAStageThatDoesNothing(t *testing.T) {
	Run(t, identity, AnswerHeader("Cache-Control", "max-age=60"))
}

func TestWhatIsLeftOutIsNotChecked(t *testing.T) {
	hides := answerMutant(func(resp *http.Response) (*http.Response, error) {
		resp.Body = &hooked{ReadCloser: resp.Body}
		return resp, nil
	})
	Run(t, func(testing.TB) middleware.Middleware { return hides }, Without("upgrade", "this stage cannot"))
}

func TestLeavingOutNeedsACheckAndAReason(t *testing.T) {
	_, err := newSettings([]Option{Without("upgrades", "a slip"), Without("panic", "")})
	require.ErrorContains(t, err, `Without("upgrades"): there is no such check; there are request_unmodified, `)
	require.ErrorContains(t, err, `Without("panic"): want a reason`)
}

func TestChecksAreNamedOnceAndDescribeThemselves(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range Checks() {
		require.False(t, seen[name], "%s is there twice", name)
		require.Regexp(t, `^[a-z_]+$`, name)
		seen[name] = true
	}
}
