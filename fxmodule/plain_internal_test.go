package fxmodule

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx/fxtest"
)

// The constructors are functions like any other: an application can be put
// together without a container.
func TestConstructorsWorkWithoutFx(t *testing.T) {
	registry, err := newRegistry(stageTypes{})
	require.NoError(t, err)

	fsys := fstest.MapFS{"http.yaml": {Data: []byte("pipelines: {search: {order: [retry]}}")}}
	file, err := loading{Registry: registry}.load(fsys, "http.yaml", nil)
	require.NoError(t, err)

	cfg, err := choice{File: file}.choose("search")
	require.NoError(t, err)
	require.Equal(t, []string{"retry"}, cfg.Order)

	life := fxtest.NewLifecycle(t)
	p, err := newPipeline("search", parts{Lifecycle: life, Registry: registry, Config: cfg})
	require.NoError(t, err)
	require.Equal(t, "search", p.Name())

	life.RequireStart()
	life.RequireStop()
}
