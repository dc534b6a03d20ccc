package transport_test

import (
	"crypto/tls"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/transport"
)

// The suite is for stages, and a transport stands below them all: it takes the
// place of a stage here, and what would come next is left out. So are the checks of
// what a stage passes on to what comes next.
func TestConformance(t *testing.T) {
	middlewaretest.Run(t, func(tb testing.TB) middleware.Middleware {
		tr, err := transport.New(transport.DefaultConfig(), transport.WithTLSConfig(&tls.Config{InsecureSkipVerify: true}))
		require.NoError(tb, err)
		tb.Cleanup(func() { tr.Close() })
		return func(http.RoundTripper) http.RoundTripper { return tr }
	},
		middlewaretest.Without("expect_continue", "it looks at the request that a base gets"),
		middlewaretest.Without("close_idle_connections", "it looks at the base's connections"),
		middlewaretest.Without("panic", "it is the base that panics"),
		middlewaretest.Without("error_unwraps", "it is the base that fails"))
}
