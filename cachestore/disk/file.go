package disk

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/headgate-go/headgate/cachestore"
)

const (
	temporary   = "tmp-"      // what the names of files that are being written begin with
	touchEvery  = time.Second // how exactly the last use is noted
	nameBytes   = sha256.Size
	folderNames = 256
)

// path is the file of key: 3f/3fa9...
func (s *Store) path(key string) string {
	sum := sha256.Sum256([]byte(key))
	name := hex.EncodeToString(sum[:])
	return filepath.Join(s.folder, name[:2], name)
}

// isEntry tells whether path could have given the name of a file in the folder dir.
func isEntry(dir, name string) bool {
	return len(name) == 2*nameBytes && strings.HasPrefix(name, dir) && strings.Trim(name, "0123456789abcdef") == ""
}

// read gives the entry of key, or fs.ErrNotExist. A file that is not that is deleted on the way.
func (s *Store) read(key string) (cachestore.Entry, error) {
	path := s.path(key)
	// Not to wait for a writer if somebody has put a named pipe there.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return cachestore.Entry{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return cachestore.Entry{}, err
	}
	e, ok, err := s.decode(f, info, key)
	switch {
	case err != nil:
		return cachestore.Entry{}, err
	case !ok:
		s.stats.damaged.Add(1)
	case !e.Expires.IsZero() && !time.Now().Before(e.Expires):
		ok = false
	}
	if !ok {
		removeSame(path, info)
		return cachestore.Entry{}, fs.ErrNotExist
	}
	if now := time.Now(); now.Sub(info.ModTime()) >= touchEvery {
		_ = os.Chtimes(path, now, now) // in a read-only folder nothing is evicted either
	}
	return e, nil
}

// decode reads a file, which nobody changes once it has its name. False: it is no entry of key.
func (s *Store) decode(f *os.File, info fs.FileInfo, key string) (cachestore.Entry, bool, error) {
	if !info.Mode().IsRegular() || info.Size() > s.maxEntry {
		return cachestore.Entry{}, false, nil
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		short := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if short {
			err = nil
		}
		return cachestore.Entry{}, false, err
	}
	e, err := cachestore.Decode(data, key)
	return e, err == nil, nil
}

// absent tells whether a removal failed because there is nothing to remove. A read-only file system says that it is
// one before it looks.
func absent(path string, err error) bool {
	if !errors.Is(err, fs.ErrNotExist) {
		_, err = os.Lstat(path)
	}
	return errors.Is(err, fs.ErrNotExist)
}

// removeSame deletes the file unless another has taken its place. Between the look and the deletion it still could,
// which costs an entry and nothing else.
func removeSame(path string, info fs.FileInfo) {
	if now, err := os.Lstat(path); err == nil && os.SameFile(now, info) {
		_ = os.Remove(path)
	}
}

// replace writes a file that readers see as it was before or as it is now, never in part.
func (s *Store) replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), temporary) // 0600
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
			f, err = os.CreateTemp(filepath.Dir(path), temporary)
		}
	}
	if err != nil {
		return err
	}
	if err = errors.Join(s.write(f, data), f.Close()); err == nil {
		if err = os.Rename(f.Name(), path); err == nil {
			return nil
		}
	}
	_ = os.Remove(f.Name()) // or a sweep does it later
	return err
}

func writeAll(f *os.File, data []byte) error {
	_, err := f.Write(data)
	return err
}

// charged is what a file of size bytes counts.
func charged(size int64) int64 { return (size + blockBytes - 1) / blockBytes * blockBytes }
