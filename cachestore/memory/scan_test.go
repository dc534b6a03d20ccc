package memory_test

import (
	"testing"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore/memory"
)

func TestDeleteFuncRemovesWhatMatches(t *testing.T) {
	s := newStore(t, memory.DefaultConfig())
	for _, key := range []string{"a1", "a2", "b1"} {
		require.NoError(t, s.Set(t.Context(), key, "value "+key, store.WithTags([]string{"tag"})))
	}
	s.DeleteFunc(t.Context(), func(key string, value any) bool {
		require.Equal(t, "value "+key, value)
		return key[0] == 'a'
	})
	require.Equal(t, 1, s.Len())
	got, err := s.Get(t.Context(), "b1")
	require.NoError(t, err)
	require.Equal(t, "value b1", got)
	require.NoError(t, s.Invalidate(t.Context(), store.WithInvalidateTags([]string{"tag"})))
	require.Zero(t, s.Len(), "the tags of what was removed are gone, those of the rest are not")
	require.Zero(t, s.Stats().Bytes)
}
