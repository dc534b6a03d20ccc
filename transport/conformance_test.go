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
		middlewaretest.Without("expect_continue", "it looks at what the suite's base is given; TestExpectContinue looks at the wire"),
		middlewaretest.Without("close_idle_connections", "a chain closes those of the suite's base; TestCloseIdleConnectionsClosesSparesToo has ours"),
		middlewaretest.Without("panic", "the suite's base panics, and nothing is below this one"),
		middlewaretest.Without("error_unwraps", "the suite's base fails, and nothing is below this one"))
}
