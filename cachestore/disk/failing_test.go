package disk_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore"
)

func requireSkippable(t *testing.T, err, cause error) {
	t.Helper()
	require.ErrorIs(t, err, cachestore.ErrStore)
	require.ErrorIs(t, err, cause)
	var typed *cachestore.StoreError
	require.ErrorAs(t, err, &typed)
	require.Equal(t, "disk", typed.Store)
	require.False(t, cachestore.IsMiss(err))
	require.NotContains(t, err.Error(), "/", "no path")
}

func TestAFullDiskIsAnErrorAndTheOldValueStays(t *testing.T) {
	folder := t.TempDir()
	s := newStore(t, folder)
	require.NoError(t, s.Set(t.Context(), "key", "old"))
	s.SetWrite(func(f *os.File, data []byte) error { // half of it fits
		_, err := f.Write(data[:len(data)/2])
		return errors.Join(err, &fs.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC})
	})
	requireSkippable(t, s.Set(t.Context(), "key", "new"), syscall.ENOSPC)
	requireSkippable(t, s.Set(t.Context(), "another", "new"), syscall.ENOSPC)

	got, err := s.Get(t.Context(), "key")
	require.NoError(t, err)
	require.Equal(t, "old", string(got.([]byte)))
	_, err = s.Get(t.Context(), "another")
	require.ErrorIs(t, err, store.NotFound{})
	left, _ := files(t, folder, "tmp-")
	require.Empty(t, left, "half a file is removed")
	require.NoError(t, s.Delete(t.Context(), "key"), "deleting needs no room")
}

func TestAFileWhereAFolderShouldBeIsAnError(t *testing.T) {
	inTheWay := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(inTheWay, []byte("mine"), 0o600))
	for _, folder := range []string{inTheWay, filepath.Join(inTheWay, "cache")} {
		s := newStore(t, folder)
		requireSkippable(t, s.Set(t.Context(), "key", "value"), syscall.ENOTDIR)
		_, err := s.Get(t.Context(), "key")
		requireSkippable(t, err, syscall.ENOTDIR)
		requireSkippable(t, s.Delete(t.Context(), "key"), syscall.ENOTDIR)
		requireSkippable(t, s.Clear(t.Context()), syscall.ENOTDIR)
		require.NoError(t, s.Start(t.Context()), "which does not keep a program from starting")
	}
	got, err := os.ReadFile(inTheWay)
	require.NoError(t, err)
	require.Equal(t, "mine", string(got))
}

// What can be read of a folder that cannot be written is served, and damage in it stays a miss.
func TestAReadOnlyFolderServesWhatItHas(t *testing.T) {
	folder := t.TempDir()
	s := newStore(t, folder)
	require.NoError(t, s.Set(t.Context(), "key", "value"))
	require.NoError(t, s.Set(t.Context(), "damaged", "value"))
	require.NoError(t, os.WriteFile(s.Path("damaged"), []byte("damage"), 0o600))
	makeReadOnly(t, folder, filepath.Dir(s.Path("key")), filepath.Dir(s.Path("damaged")))

	for range 2 {
		got, err := s.Get(t.Context(), "key")
		require.NoError(t, err)
		require.Equal(t, "value", string(got.([]byte)))
		_, err = s.Get(t.Context(), "damaged")
		require.ErrorIs(t, err, store.NotFound{})
	}
	if os.Geteuid() != 0 { // to whom no folder is read-only
		requireSkippable(t, s.Set(t.Context(), "key", "new"), fs.ErrPermission)
		requireSkippable(t, s.Delete(t.Context(), "key"), fs.ErrPermission)
	}
}

func makeReadOnly(t *testing.T, folders ...string) {
	for _, f := range folders {
		require.NoError(t, os.Chmod(f, 0o500))
		t.Cleanup(func() { _ = os.Chmod(f, 0o700) })
	}
}
