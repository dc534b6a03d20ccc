package storms_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/headgate-go/headgate/docs/benchmarks/storms"
)

// peerOrPipeline gives the client of that name over the upstream, and the name
// that a table has for it. A pipeline is stopped when the test ends.
func peerOrPipeline(t *testing.T, name string, up *storms.Upstream) (http.RoundTripper, string) {
	t.Helper()
	switch name {
	case "plain":
		return up, "plain"
	case "go-retryablehttp":
		return retryable(up), name
	case "failsafe-go retry":
		return failsafeRetry(up), name
	case "failsafe-go adaptive limiter":
		return failsafeLimiter(up), name
	case "failsafe-go adaptive limiter, short queue":
		return failsafeQueue(up, 2, 3, 2*time.Second), name
	case "failsafe-go adaptive limiter, long queue, told the deadline":
		return failsafeQueue(up, 20, 40, patience), name
	case "failsafe-go bulkhead, told the capacity":
		return failsafeBulkhead(up, 2*time.Second), name
	case "failsafe-go bulkhead, told the capacity and the deadline":
		return failsafeBulkhead(up, patience), name
	}
	p := headgate(t, name, up)
	t.Cleanup(func() { stop(t, p) })
	return p, "Headgate: " + name
}
