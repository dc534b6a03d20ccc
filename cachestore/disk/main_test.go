package disk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/cachestore/disk"
	"github.com/headgate-go/headgate/middleware"
)

// helperFolder makes the test's binary a process that writes into a folder until it is killed.
const helperFolder = "HEADGATE_DISK_HELPER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(helperFolder); folder != "" {
		writeForEver(folder)
	}
	goleak.VerifyTestMain(m)
}

func writeForEver(folder string) {
	s, err := disk.New(config(folder))
	for round := os.Getpid(); err == nil; round++ {
		key := sharedKey(round)
		err = s.Set(context.Background(), key, sharedValue(key, round))
		if round == os.Getpid() {
			fmt.Println("writing")
		}
	}
	fmt.Println(err)
	os.Exit(1)
}

const sharedKeys = 8

func sharedKey(round int) string { return fmt.Sprintf("shared-%d", round%sharedKeys) }

// sharedValue is of one letter after the key, so that parts of two show.
func sharedValue(key string, round int) []byte {
	letter := 'a' + round%26
	return append([]byte(key+":"), strings.Repeat(string(rune(letter)), 20_000+round%7*10_000)...)
}

// requireShared wants a miss or a value that somebody has written under key.
func requireShared(t *testing.T, s *disk.Store, key string) (found bool) {
	t.Helper()
	got, err := s.Get(t.Context(), key)
	if err != nil {
		require.ErrorIs(t, err, store.NotFound{})
		return false
	}
	body, ours := bytes.CutPrefix(got.([]byte), []byte(key+":"))
	require.True(t, ours, "of another key")
	require.Len(t, body, bytes.Count(body, body[:1]), "of two writers")
	require.Zero(t, len(body)%10_000, "of a wrong length")
	return true
}

func config(folder string) disk.Config {
	return disk.Config{Folder: folder, MaxBytes: 16 * middleware.MiB, MaxEntryBytes: 2 * middleware.MiB}
}

// newStore is a store in folder that is stopped when the test ends.
func newStore(t testing.TB, folder string) *disk.Store {
	t.Helper()
	s, err := disk.New(config(folder))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	return s
}

// files are those below folder whose names hold part. A sweep may be deleting some of them.
func files(t testing.TB, folder, part string) (paths []string, bytes int64) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !strings.Contains(d.Name(), part) {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		paths = append(paths, path)
		bytes += (info.Size() + 4095) / 4096 * 4096
		return err
	}))
	return paths, bytes
}
