//go:build !race

package pipeline_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAllocations keeps the happy path at its measured cost.
func TestAllocations(t *testing.T) {
	p := build(t, full(nil), stub)
	req := request(t, context.Background(), http.MethodPost, "http://api.example.com/v1")
	allocs := func(rt http.RoundTripper) float64 {
		return testing.AllocsPerRun(200, func() {
			resp, err := rt.RoundTrip(req)
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		})
	}
	require.LessOrEqual(t, allocs(p)-allocs(stub), 12.0)
}
