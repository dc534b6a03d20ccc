package disk_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/disk"
	"github.com/headgate-go/headgate/cachestore/storetest"
	"github.com/headgate-go/headgate/middleware"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t testing.TB) store.StoreInterface { return newStore(t, t.TempDir()) },
		storetest.WithTags(), storetest.WithFakeTime())
}

func TestConformanceThroughTheAdapter(t *testing.T) {
	storetest.Run(t,
		func(t testing.TB) store.StoreInterface {
			a, err := cachestore.Adapt(newStore(t, t.TempDir()), cachestore.WithExclusive())
			require.NoError(t, err)
			return a
		},
		storetest.WithTags(), storetest.WithShortestTTL(time.Second))
}

func TestNewDoesNoIO(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a", "b")
	s := newStore(t, folder)
	require.NoDirExists(t, folder)
	_, err := s.Get(t.Context(), "key")
	require.ErrorIs(t, err, store.NotFound{})
	require.NoDirExists(t, folder, "reading makes nothing")
	require.NoError(t, s.Set(t.Context(), "key", "value"))
	require.FileExists(t, s.Path("key"))
}

func TestEntriesAreFoundAgainAfterARestart(t *testing.T) {
	folder := t.TempDir()
	before := newStore(t, folder)
	require.NoError(t, before.Set(t.Context(), "key", "value", store.WithExpiration(time.Hour), store.WithTags([]string{"tag"})))
	require.NoError(t, before.Stop(t.Context()))

	after := newStore(t, folder)
	got, ttl, err := after.GetWithTTL(t.Context(), "key")
	require.NoError(t, err)
	require.Equal(t, "value", string(got.([]byte)))
	require.InDelta(t, time.Hour, ttl, float64(10*time.Minute))
	require.NoError(t, after.Invalidate(t.Context(), store.WithInvalidateTags([]string{"tag"})))
	_, err = after.Get(t.Context(), "key")
	require.ErrorIs(t, err, store.NotFound{})
}

func TestFilesAreForTheirOwnerAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new")
	s := newStore(t, folder)
	require.NoError(t, s.Set(t.Context(), "key", "value"))
	for path, want := range map[string]os.FileMode{folder: 0o700, filepath.Dir(s.Path("key")): 0o700, s.Path("key"): 0o600} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, want, info.Mode().Perm(), path)
	}
}

func TestNoKeyLeavesTheFolder(t *testing.T) {
	parent := t.TempDir()
	s := newStore(t, filepath.Join(parent, "cache"))
	for _, key := range []string{"", ".", "..", "../../outside", "/etc/outside", `..\outside`, "a\x00b", strings.Repeat("k", 5000)} {
		require.NoError(t, s.Set(t.Context(), key, "value"))
		within, err := filepath.Rel(parent, s.Path(key))
		require.NoError(t, err)
		require.Regexp(t, `^cache/([0-9a-f]{2})/[0-9a-f]{64}$`, filepath.ToSlash(within))
	}
	all, _ := files(t, parent, "")
	require.Len(t, all, 8)
}

func TestAnEntryOverTheCapIsRefusedAndTheOldOneStays(t *testing.T) {
	s := newStore(t, t.TempDir())
	require.NoError(t, s.Set(t.Context(), "key", "old"))
	err := s.Set(t.Context(), "key", make([]byte, 2<<20))
	var typed *cachestore.TooLargeError
	require.ErrorAs(t, err, &typed)
	require.EqualValues(t, 2<<20, typed.Limit)
	require.Greater(t, typed.Size, typed.Limit)
	require.ErrorIs(t, s.Set(t.Context(), strings.Repeat("k", cachestore.MaxKeyBytes+1), "v"), cachestore.ErrTooLarge)

	got, err := s.Get(t.Context(), "key")
	require.NoError(t, err)
	require.Equal(t, "old", string(got.([]byte)))
}

func TestWhatHasExpiredIsDeletedWhenItIsRead(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, folder)
		require.NoError(t, s.Set(t.Context(), "key", "value", store.WithExpiration(time.Minute)))
		time.Sleep(time.Minute)
		require.FileExists(t, s.Path("key"))
		_, err := s.Get(t.Context(), "key")
		require.ErrorIs(t, err, store.NotFound{})
		require.NoFileExists(t, s.Path("key"))
		require.Zero(t, s.Stats().Damaged)
	})
}

func TestValuesAndKeysOfOtherTypesAreRefused(t *testing.T) {
	s := newStore(t, t.TempDir())
	require.ErrorIs(t, s.Set(t.Context(), "key", 1), cachestore.ErrValueType)
	require.ErrorIs(t, s.Set(t.Context(), 1, "value"), cachestore.ErrKeyType)
	require.ErrorIs(t, s.Delete(t.Context(), 1), cachestore.ErrKeyType)
	_, err := s.Get(t.Context(), 1)
	require.ErrorIs(t, err, cachestore.ErrKeyType)
}

func TestAfterStopEverythingIsAnError(t *testing.T) {
	s := newStore(t, t.TempDir())
	require.NoError(t, s.Set(t.Context(), "key", "value"))
	require.NoError(t, s.Stop(t.Context()))
	require.NoError(t, s.Stop(t.Context()), "twice")
	_, err := s.Get(t.Context(), "key")
	for _, err := range []error{
		err, s.Set(t.Context(), "key", "value"), s.Delete(t.Context(), "key"), s.Clear(t.Context()), s.Start(t.Context()),
		s.Invalidate(t.Context(), store.WithInvalidateTags([]string{"tag"})),
	} {
		require.ErrorIs(t, err, cachestore.ErrStopped)
		require.ErrorIs(t, err, cachestore.ErrStore)
		require.ErrorContains(t, err, "the store is stopped")
	}
}

func TestAnEndedContextIsAnError(t *testing.T) {
	s := newStore(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Get(ctx, "key")
	for _, err := range []error{err, s.Set(ctx, "key", "value"), s.Delete(ctx, "key"), s.Clear(ctx)} {
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestConfigurationMistakesAreToldAllAtOnce(t *testing.T) {
	_, err := disk.New(disk.Config{})
	require.ErrorContains(t, err, "DefaultConfig")
	require.ErrorContains(t, disk.DefaultConfig().Validate(), "folder")

	err = disk.Config{MaxBytes: 1, MaxEntryBytes: 1}.Validate()
	for _, key := range []string{"folder: ", "max_bytes: 1B", "max_entry_bytes: 1B"} {
		require.ErrorContains(t, err, key)
	}
	err = disk.Config{Folder: "x", MaxBytes: 8 * middleware.MiB, MaxEntryBytes: 2 * middleware.MiB}.Validate()
	require.EqualError(t, err, "max_entry_bytes: 2MiB is out of range; it can be from 4KiB to an eighth of max_bytes, which is 1MiB")
	var problem *middleware.ConfigError
	require.True(t, errors.As(err, &problem))

	cfg := disk.DefaultConfig()
	cfg.Folder = "x"
	require.NoError(t, cfg.Validate())
}
