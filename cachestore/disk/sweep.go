package disk

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// temporaryAge is the age from which a temporary has no writer any more: entries are written in one go.
const temporaryAge = 10 * time.Minute

// sweep is one look through the folder.
type sweep struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error // once done is closed
	unseen int64 // bytes whose files it may have missed; guarded by Store.mu

	total   int64 // bytes
	entries int
}

// found is a file of the folder.
type found struct {
	name [nameBytes]byte
	size int64 // charged
	used int64 // Unix nanoseconds
}

// run counts what there is, removes the temporaries of dead writers, and evicts if it is more than it may be.
func (s *Store) run(ctx context.Context, w *sweep) error {
	var all []found
	dead := time.Now().Add(-temporaryAge)
	err := s.walk(ctx, func(path string, info fs.FileInfo) {
		size := charged(info.Size())
		if strings.HasPrefix(info.Name(), temporary) {
			if info.ModTime().Before(dead) && os.Remove(path) == nil {
				s.stats.temporaries.Add(1)
				return
			}
			w.total += size
			return
		}
		f := found{size: size, used: info.ModTime().UnixNano()}
		_, _ = hex.Decode(f.name[:], []byte(info.Name())) // it is hex: isEntry has looked
		all = append(all, f)
		w.total += size
	})
	if err != nil {
		return err
	}
	w.entries = len(all)
	if w.total <= s.eighths(sweepLeave) {
		return nil
	}
	slices.SortFunc(all, func(a, b found) int { return cmp.Compare(a.used, b.used) })
	return s.evict(ctx, w, all)
}

// evict deletes files, the first of them first, until little enough is left.
func (s *Store) evict(ctx context.Context, w *sweep, all []found) error {
	for _, f := range all {
		if w.total <= s.eighths(sweepLeave) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		name := hex.EncodeToString(f.name[:])
		err := os.Remove(filepath.Join(s.folder, name[:2], name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // another process may have been faster
			return err
		}
		w.total -= f.size
		w.entries--
		s.stats.evicted.Add(1)
	}
	return nil
}

// walk visits the entries and the temporaries of the folder, in no order. Files that come or go meanwhile may be seen
// or not.
func (s *Store) walk(ctx context.Context, visit func(path string, info fs.FileInfo)) error {
	for i := range folderNames {
		if err := ctx.Err(); err != nil {
			return err
		}
		dir := fmt.Sprintf("%02x", i)
		list, err := os.ReadDir(filepath.Join(s.folder, dir))
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return err
		}
		for _, d := range list {
			if !d.Type().IsRegular() || !isEntry(dir, d.Name()) && !strings.HasPrefix(d.Name(), temporary) {
				continue
			}
			if info, err := d.Info(); err == nil { // else it has gone
				visit(filepath.Join(s.folder, dir, d.Name()), info)
			}
		}
	}
	return nil
}
