package seal_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/internal/seal"
	"github.com/headgate-go/headgate/cachestore/internal/taglist"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSealedEntryIsDecodedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := store.ApplyOptions(store.WithExpiration(time.Minute), store.WithTags([]string{"b", "a"}))
		e, data, err := seal.Seal("key", []byte("value"), opts, 1<<10)
		require.NoError(t, err)
		require.True(t, e.Expires.Equal(time.Now().Add(time.Minute)))
		got, err := cachestore.Decode(data, "key")
		require.NoError(t, err)
		require.Equal(t, "value", string(got.Body))
		require.True(t, got.Expires.Equal(e.Expires))
		require.Equal(t, []string{"a", "b"}, taglist.Decode(got.Meta))
	})
}

func TestWithoutAnExpirationThereIsNoEnd(t *testing.T) {
	e, _, err := seal.Seal("key", []byte("value"), store.ApplyOptions(), 1<<10)
	require.NoError(t, err)
	require.Zero(t, e.Expires)
}

func TestWhatCannotBeSealed(t *testing.T) {
	_, data, err := seal.Seal("key", []byte("value"), store.ApplyOptions(), 1<<10)
	require.NoError(t, err)
	_, _, err = seal.Seal("key", []byte("value"), store.ApplyOptions(), int64(len(data)))
	require.NoError(t, err, "just fits")
	var large *cachestore.TooLargeError
	_, _, err = seal.Seal("key", []byte("value"), store.ApplyOptions(), int64(len(data))-1)
	require.ErrorAs(t, err, &large)
}
