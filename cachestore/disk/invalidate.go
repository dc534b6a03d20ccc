package disk

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/internal/taglist"
)

// Invalidate removes the entries that were stored with at least one of the tags of store.WithInvalidateTags. It reads
// the beginning of every file in the folder: it is for what happens now and then. One that is being stored at the same
// time may stay.
func (s *Store) Invalidate(ctx context.Context, options ...store.InvalidateOption) error {
	tags := store.ApplyInvalidateOptions(options...).Tags
	if len(tags) == 0 {
		return nil
	}
	return s.removeAll(ctx, "invalidate", func(path string) bool {
		f, err := os.Open(path)
		if err != nil {
			return false
		}
		defer f.Close()
		meta, err := cachestore.ReadMeta(f)
		return err == nil && taglist.HasAny(meta, tags)
	})
}

// Clear removes all entries, those of other processes in the folder too.
func (s *Store) Clear(ctx context.Context) error {
	return s.removeAll(ctx, "clear", func(string) bool { return true })
}

// removeAll removes the entries that are wanted gone, as many as it can.
func (s *Store) removeAll(ctx context.Context, op string, gone func(path string) bool) error {
	if err := s.usable(ctx); err != nil {
		return fail(op, err)
	}
	var failed error
	err := s.walk(ctx, func(path string, info fs.FileInfo) {
		if strings.HasPrefix(info.Name(), temporary) || !gone(path) {
			return
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) && failed == nil {
			failed = err
		}
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return fail(op, err)
	}
	return nil
}
