package disk_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/disk"
	"github.com/headgate-go/headgate/middleware"
)

func TestWhatIsHeldIsBounded(t *testing.T) {
	entries := 20_000
	if os.Getenv("HEADGATE_SOAK") == "1" {
		entries = 1_000_000
	}
	folder := t.TempDir()
	s := newStore(t, folder)
	const writers, looks = 4, 5
	for look := range looks {
		var wg sync.WaitGroup
		for writer := range writers {
			wg.Go(func() {
				for i := range entries / writers / looks {
					if err := s.Set(t.Context(), fmt.Sprint(look, writer, i), "small"); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		_, held := files(t, folder, "")
		require.LessOrEqual(t, held, int64(16<<20))
	}
	require.NoError(t, s.Sweep(t.Context()))
	_, held := files(t, folder, "")
	require.Greater(t, held, int64(8<<20), "the room is used")
	stats := s.Stats()
	require.Positive(t, stats.Evicted)
	require.LessOrEqual(t, stats.Bytes, stats.MaxBytes)
	require.GreaterOrEqual(t, stats.Bytes, held, "more may be charged than is there, never less")
}

func TestLargeEntriesKeepTheBoundToo(t *testing.T) {
	folder := t.TempDir()
	s := newStore(t, folder)
	for i := range 30 {
		require.NoError(t, s.Set(t.Context(), fmt.Sprint(i), make([]byte, 1900<<10)))
		_, held := files(t, folder, "")
		require.LessOrEqual(t, held, int64(16<<20))
	}
	_, err := s.Get(t.Context(), "29")
	require.NoError(t, err, "the newest stays")
}

// What was used last, and when, is known to the next process too.
func TestTheLeastRecentlyUsedGoesFirst(t *testing.T) {
	folder := t.TempDir()
	before := newStore(t, folder)
	for i := range 5 {
		require.NoError(t, before.Set(t.Context(), fmt.Sprint(i), make([]byte, 1<<20-200)))
		require.NoError(t, disk.Age(before.Path(fmt.Sprint(i)), time.Duration(100-i)*time.Minute))
	}
	_, err := before.Get(t.Context(), "0") // the oldest until now
	require.NoError(t, err)
	require.NoError(t, before.Stop(t.Context()))

	after, err := disk.New(disk.Config{Folder: folder, MaxBytes: 4 * middleware.MiB, MaxEntryBytes: 512 * middleware.KiB})
	require.NoError(t, err)
	require.NoError(t, after.Start(t.Context()))
	require.NoError(t, after.Sweep(t.Context()))
	require.NoError(t, after.Stop(t.Context()))
	for i, stays := range []bool{true, false, false, true, true} {
		_, err := os.Stat(after.Path(fmt.Sprint(i)))
		require.Equal(t, stays, err == nil, "entry %d", i)
	}
	require.EqualValues(t, 2, after.Stats().Evicted)
	require.Equal(t, 3, after.Stats().Entries)
}

// A writer that has to wait for room does not wait longer than its context.
func TestWaitingForRoomEndsWithTheContext(t *testing.T) {
	s := newStore(t, t.TempDir())
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("over"))
	defer cancel()
	for i := 0; ; i++ {
		if err := s.Set(ctx, fmt.Sprint(i%50), make([]byte, 1<<20)); err != nil {
			require.ErrorIs(t, err, context.DeadlineExceeded)
			var timeout interface{ Timeout() bool }
			require.ErrorAs(t, err, &timeout)
			require.True(t, timeout.Timeout())
			return
		}
	}
}

func TestStopEndsASweepAndThoseThatWaitForIt(t *testing.T) {
	folder := t.TempDir()
	for range 10 {
		s := newStore(t, folder)
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				err := error(nil)
				for i := 0; err == nil; i++ {
					err = s.Set(t.Context(), fmt.Sprint(w, i%20), make([]byte, 500<<10))
				}
				if !errors.Is(err, cachestore.ErrStopped) {
					t.Error(err)
				}
			})
		}
		time.Sleep(time.Millisecond)
		require.NoError(t, s.Stop(t.Context()))
		wg.Wait()
	}
}
