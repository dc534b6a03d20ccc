package disk_test

import (
	"bufio"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore/disk"
)

// startWriter starts a process that writes into folder, and returns when it has written once.
func startWriter(t *testing.T, folder string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperFolder+"="+folder, "GOMAXPROCS=2")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "writing", strings.TrimSpace(line))
	return cmd
}

func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	require.NoError(t, cmd.Process.Kill())
	require.ErrorContains(t, cmd.Wait(), "killed", "it did not end by itself, with an error")
}

func TestWritersThatAreKilledLeaveNothingWrong(t *testing.T) {
	const kills, atOnce = 200, 4
	folder := t.TempDir()
	s := newStore(t, folder)
	found := 0
	for range kills / atOnce {
		writers := make([]*exec.Cmd, atOnce)
		for i := range writers {
			writers[i] = startWriter(t, folder)
		}
		for _, w := range writers {
			time.Sleep(time.Duration(rand.IntN(int(2 * time.Millisecond)))) // somewhere within a write
			kill(t, w)
		}
		for i := range sharedKeys {
			if requireShared(t, s, sharedKey(i)) {
				found++
			}
		}
	}
	require.Positive(t, found)
	require.Zero(t, s.Stats().Damaged, "without a crash of the machine a file is whole once it has its name")

	left, _ := files(t, folder, "tmp-")
	t.Logf("%d kills left %d temporaries", kills, len(left))
	require.NotEmpty(t, left, "some were killed within a write")
	require.NoError(t, s.Sweep(t.Context()))
	stayed, _ := files(t, folder, "tmp-")
	require.Equal(t, left, stayed, "young ones may have a writer")
	for _, path := range left {
		require.NoError(t, disk.Age(path, 2*disk.TemporaryAge))
	}
	require.NoError(t, s.Sweep(t.Context()))
	stayed, _ = files(t, folder, "tmp-")
	require.Empty(t, stayed)
	require.EqualValues(t, len(left), s.Stats().Temporaries)
}

func TestTwoProcessesUseOneFolder(t *testing.T) {
	folder := t.TempDir()
	writer := startWriter(t, folder)
	s := newStore(t, folder)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for round := range 500 {
				key := sharedKey(round)
				switch round % 5 {
				case 0:
					if err := s.Set(t.Context(), key, sharedValue(key, round)); err != nil {
						t.Error(err)
					}
				case 1:
					if err := s.Delete(t.Context(), key); err != nil {
						t.Error(err)
					}
				default:
					requireShared(t, s, key)
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, s.Sweep(t.Context()))
	kill(t, writer)
	require.Zero(t, s.Stats().Damaged)
	require.Positive(t, s.Stats().Hits)
	names, _ := files(t, folder, "")
	for _, path := range names {
		require.Len(t, filepath.Base(filepath.Dir(path)), 2)
	}
}
