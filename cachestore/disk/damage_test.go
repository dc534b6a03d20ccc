package disk_test

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/disk"
)

// requireDamaged wants the file of key to be a miss, counted and gone.
func requireDamaged(t *testing.T, s *disk.Store, key string) {
	t.Helper()
	before := s.Stats().Damaged
	_, err := s.Get(t.Context(), key)
	require.ErrorIs(t, err, store.NotFound{})
	require.Equal(t, before+1, s.Stats().Damaged)
	_, err = os.Lstat(s.Path(key))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestFilesThatAreNoEntryAreMissesCountedAndDeleted(t *testing.T) {
	s := newStore(t, t.TempDir())
	require.NoError(t, s.Set(t.Context(), "key", bytes.Repeat([]byte("value "), 50)))
	whole, err := os.ReadFile(s.Path("key"))
	require.NoError(t, err)
	other, err := cachestore.Encode(cachestore.Entry{Key: "another", Body: []byte("value")})
	require.NoError(t, err)

	for name, data := range map[string][]byte{
		"empty":                   {},
		"torn in the header":      whole[:40],
		"torn in the body":        whole[:len(whole)-1],
		"run together":            append(bytes.Clone(whole), whole...),
		"foreign":                 []byte("somebody else's file, as long as an envelope's header at the very least, and longer"),
		"of another key":          other,
		"all zero, after a crash": make([]byte, len(whole)),
		"larger than any entry":   make([]byte, 2<<20+1),
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(s.Path("key"), data, 0o600))
			requireDamaged(t, s, "key")
		})
	}
	t.Run("of other versions", func(t *testing.T) {
		for _, version := range []byte{0, 2, 255} {
			data := bytes.Clone(whole)
			data[4] = version
			require.NoError(t, os.WriteFile(s.Path("key"), data, 0o600))
			requireDamaged(t, s, "key")
		}
	})
	t.Run("with any one bit flipped", func(t *testing.T) {
		for bit := range 8 * len(whole) {
			data := bytes.Clone(whole)
			data[bit/8] ^= 1 << (bit % 8)
			require.NoError(t, os.WriteFile(s.Path("key"), data, 0o600))
			requireDamaged(t, s, "key")
		}
	})
	require.NoError(t, s.Set(t.Context(), "key", "again"))
	require.FileExists(t, s.Path("key"), "damage does not stay")
}

func TestWhatIsNoFileIsAMiss(t *testing.T) {
	s := newStore(t, t.TempDir())
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("not an entry"), 0o600))
	for name, put := range map[string]func(path string) error{
		"a folder":         func(path string) error { return os.Mkdir(path, 0o700) },
		"a link to a file": func(path string) error { return os.Symlink(secret, path) },
		"a named pipe":     func(path string) error { return syscall.Mkfifo(path, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.MkdirAll(filepath.Dir(s.Path("key")), 0o700))
			require.NoError(t, put(s.Path("key")))
			_, err := s.Get(t.Context(), "key")
			require.ErrorIs(t, err, store.NotFound{})
			_ = os.Remove(s.Path("key"))
		})
	}
	require.FileExists(t, secret, "what a link points at stays")
}

func TestFilesThatTheStoreDidNotNameAreNeverTouched(t *testing.T) {
	folder := t.TempDir()
	s := newStore(t, folder)
	require.NoError(t, s.Set(t.Context(), "key", "value", store.WithTags([]string{"tag"})))
	strangers := []string{
		filepath.Join(folder, "notes.txt"),
		filepath.Join(folder, "tmp-1"), // not where temporaries are
		filepath.Join(filepath.Dir(s.Path("key")), "notes.txt"),
		filepath.Join(folder, "zz", filepath.Base(s.Path("key"))),
	}
	for _, path := range strangers {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte("mine"), 0o600))
		require.NoError(t, disk.Age(path, 2*disk.TemporaryAge))
	}
	require.NoError(t, s.Sweep(t.Context()))
	require.NoError(t, s.Invalidate(t.Context(), store.WithInvalidateTags([]string{"tag"})))
	require.NoError(t, s.Clear(t.Context()))
	require.NoFileExists(t, s.Path("key"))
	for _, path := range strangers {
		require.FileExists(t, path)
	}
}
