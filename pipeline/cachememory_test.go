package pipeline_test

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
	"github.com/headgate-go/headgate/pipeline"
)

// The cache keeps to max_bytes whatever number of answers it has stored, all of them for another URL, credential and
// tag; a million with HEADGATE_SOAK=1.
func TestTheCachesMemoryStaysUnderItsBound(t *testing.T) {
	answers := 10_000
	if os.Getenv("HEADGATE_SOAK") == "1" {
		answers = 1_000_000
	}
	const bound = 4 * middleware.MiB
	p := build(t, pipeline.Config{
		Order: []string{"cache"}, Stages: map[string]any{"cache": map[string]any{"max_bytes": "4MiB", "max_entry_bytes": "1MiB"}},
	}, counting())
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	for i := range answers {
		ctx := httpcache.Tags(t.Context(), fmt.Sprintf("tag-%d", i))
		req := request(t, ctx, http.MethodGet, fmt.Sprintf("http://api.example.com/%d", i))
		req.Header.Set("Authorization", fmt.Sprint(i))
		resp, err := p.RoundTrip(req)
		require.NoError(t, err)
		finish(t, resp)
	}
	stats := p.Report()[0].Stats.(httpcache.Stats)
	grown := heap() - before
	t.Logf("%d stored: %+v; the heap grew by %d bytes", answers, stats, grown)
	require.EqualValues(t, answers, stats.Stored)
	require.LessOrEqual(t, grown, int64(bound+bound/2), "max_bytes, and what the stage is besides")
	runtime.KeepAlive(p)
}
