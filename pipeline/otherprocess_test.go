package pipeline_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// docs/stages/cache.md, "Purging": another process sees an invalidation within purge_within, which is 0 here.
func TestInvalidationsReachAnotherProcessThroughItsMemory(t *testing.T) {
	t.Setenv("TEST_STORE", "tiered/three")
	t.Setenv("TEST_REDIS", startRedis(t).address)
	_, up := newVersions(t)
	t.Setenv("TEST_FOLDER", t.TempDir())
	one := openWithStores(t, overStores)
	t.Setenv("TEST_FOLDER", t.TempDir()) // on another machine
	two := openWithStores(t, overStores)
	before := call{path: "/70"}.over(t, one, up)
	require.Equal(t, before.body, call{path: "/70"}.over(t, two, up).body, "from Redis")
	require.Equal(t, 204, call{method: http.MethodPut, path: "/70"}.over(t, one, up).status)
	require.NotEqual(t, before.body, call{path: "/70"}.over(t, two, up).body)

	before = call{path: "/71"}.over(t, one, up)
	require.Equal(t, before.body, call{path: "/71"}.over(t, two, up).body)
	require.NoError(t, one.PurgePrefix(t.Context(), up.URL+"/71"))
	require.NotEqual(t, before.body, call{path: "/71"}.over(t, two, up).body)
	require.NoError(t, one.Stop(t.Context()))
	require.NoError(t, two.Stop(t.Context()))
}
