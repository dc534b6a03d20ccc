//go:build !race

package httpcache_test

import (
	"io"
	"net/http"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
)

// performance.md: what a call costs beyond a chain with a stage that does nothing, in allocations.
func TestAllocations(t *testing.T) {
	base := stub(make([]byte, 1<<10), longLived)
	without := allocsPerCall(t, middleware.Chain(base, marker), true)
	for name, test := range map[string]struct {
		change   func(*httpcache.Config)
		distinct bool
		most     float64 // beyond a chain without
	}{
		"miss and store":            {func(*httpcache.Config) {}, true, 14},
		"miss and store, by itself": {func(c *httpcache.Config) { c.Coalesce = false }, true, 9},
	} {
		got := allocsPerCall(t, middleware.Chain(base, newCache(t, test.change).Wrap), test.distinct)
		require.LessOrEqual(t, got-without, test.most, name)
	}
	hit := allocsPerCall(t, middleware.Chain(base, newCache(t, nil).Wrap), false)
	require.LessOrEqual(t, hit, 6.0, "a hit, in all")
}

// A hit of 1 MiB allocates no more than its header: nothing is copied.
func TestLargeHitIsNotCopied(t *testing.T) {
	rt := middleware.Chain(stub(make([]byte, 1<<20), longLived), newCache(t, nil).Wrap)
	_ = allocsPerCall(t, rt, false)
	req, _ := http.NewRequest(http.MethodGet, pageURL, nil)
	const calls = 1000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		require.EqualValues(t, 1<<20, resp.ContentLength)
		require.NoError(t, resp.Body.Close())
	}
	runtime.ReadMemStats(&after)
	require.Less(t, (after.TotalAlloc-before.TotalAlloc)/calls, uint64(8<<10))
}

func allocsPerCall(t *testing.T, rt http.RoundTripper, distinct bool) float64 {
	req, err := http.NewRequest(http.MethodGet, pageURL, nil)
	require.NoError(t, err)
	buf, i := make([]byte, 4<<10), 0
	return testing.AllocsPerRun(2000, func() {
		if i++; distinct {
			req.URL.Path = "/page" + strconv.Itoa(i)
		}
		resp, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = resp.Body.Read(buf)
		}
		if err != io.EOF {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	})
}
