package memory_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/cachestore/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// page stands for the entries that a cache keeps by pointer.
type page struct{ body []byte }

func (p *page) Size() int64 { return int64(cap(p.body)) + 24 }

func newStore(t testing.TB, cfg memory.Config) *memory.Store {
	t.Helper()
	s, err := memory.New(cfg)
	require.NoError(t, err)
	return s
}
