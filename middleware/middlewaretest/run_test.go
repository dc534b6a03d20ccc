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

func TestACacheableAnswerIsNoDifferentForAStageThatDoesNothing(t *testing.T) {
	Run(t, identity, AnswerHeader("Cache-Control", "max-age=60"))
}

func TestChecksAreNamedOnceAndDescribeThemselves(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range Checks() {
		require.False(t, seen[name], "%s is there twice", name)
		require.Regexp(t, `^[a-z_]+$`, name)
		seen[name] = true
	}
}
