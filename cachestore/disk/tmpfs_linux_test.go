package disk_test

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"
)

// On a file system that is really full, or really read-only. Whoever may not mount one has the tests beside this.
func TestARealFileSystemWithoutRoom(t *testing.T) {
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=256k"); err != nil {
		t.Logf("no tmpfs (%v): the other tests inject the errors", err)
		return
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(folder, 0)) })

	s := newStore(t, folder)
	stored, full := 0, 0
	for i := range 200 {
		key := fmt.Sprintf("%d", i)
		if err := s.Set(t.Context(), key, sharedValue(key, 0)); err != nil {
			requireSkippable(t, err, syscall.ENOSPC)
			full++
		} else {
			stored++
		}
	}
	require.Positive(t, stored)
	require.Positive(t, full)
	found := 0
	for i := range 200 {
		if requireShared(t, s, fmt.Sprintf("%d", i)) {
			found++
		}
	}
	require.Equal(t, stored, found)
	left, _ := files(t, folder, "tmp-")
	require.Empty(t, left)

	require.NoError(t, syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	requireSkippable(t, s.Set(t.Context(), "0", "new"), syscall.EROFS)
	requireSkippable(t, s.Delete(t.Context(), "0"), syscall.EROFS)
	require.True(t, requireShared(t, s, "0"), "the old value is still served")
	require.NoError(t, s.Delete(t.Context(), "absent"))
	_, err := s.Get(t.Context(), "absent")
	require.ErrorIs(t, err, store.NotFound{})
}
