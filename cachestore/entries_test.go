package cachestore_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore"
)

// byteMap is a Bytes whose content and errors a test sets.
type byteMap struct {
	values map[string][]byte
	ttl    time.Duration // of the last Set
	getErr error
	delErr error
}

func (m *byteMap) Get(_ context.Context, key string) ([]byte, bool, error) {
	v, ok := m.values[key]
	return v, ok && m.getErr == nil, m.getErr
}

func (m *byteMap) Set(_ context.Context, key string, value []byte, ttl time.Duration) error {
	m.values[key], m.ttl = value, ttl
	return nil
}

func (m *byteMap) Delete(_ context.Context, key string) error {
	if m.delErr == nil {
		delete(m.values, key)
	}
	return m.delErr
}

func newEntries(t testing.TB) (*cachestore.Entries, *byteMap) {
	t.Helper()
	m := &byteMap{values: map[string][]byte{}}
	s, err := cachestore.NewEntries(m)
	require.NoError(t, err)
	return s, m
}

func TestNewEntriesNeedsAStore(t *testing.T) {
	_, err := cachestore.NewEntries(nil)
	require.ErrorContains(t, err, "no store")
}

func TestEntriesRoundTripAndExpireByTheirOwnClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		s, m := newEntries(t)
		want := cachestore.Entry{Key: "a", Stored: time.Now(), Expires: time.Now().Add(time.Minute), Meta: []byte("m"), Body: []byte("b")}
		require.NoError(t, s.Set(ctx, want))
		require.Equal(t, time.Minute, m.ttl, "the store is told the remaining life")

		time.Sleep(time.Minute - 1)
		got, found, err := s.Get(ctx, "a")
		require.NoError(t, err)
		require.True(t, found)
		equalEntries(t, want, got)

		time.Sleep(time.Nanosecond) // this store has no TTL of its own
		_, found, err = s.Get(ctx, "a")
		require.NoError(t, err)
		require.False(t, found)
		require.Empty(t, m.values, "what has expired is deleted")
		require.Zero(t, s.Damaged(), "which is not damage")
	})
}

func TestAnEntryThatHasExpiredIsDeletedInsteadOfStored(t *testing.T) {
	s, m := newEntries(t)
	require.NoError(t, s.Set(t.Context(), cachestore.Entry{Key: "a"}))
	require.Zero(t, m.ttl, "no end")
	require.NoError(t, s.Set(t.Context(), cachestore.Entry{Key: "a", Expires: time.Now().Add(-time.Second)}))
	require.Empty(t, m.values)
}

func TestDamageIsAMissADeleteAndCounted(t *testing.T) {
	whole := encode(t, cachestore.Entry{Key: "a", Body: []byte("body")})
	for name, data := range map[string][]byte{
		"torn": whole[:73], "empty": {}, "foreign": []byte("somebody else's"), "of another key": encode(t, cachestore.Entry{Key: "b"}),
	} {
		t.Run(name, func(t *testing.T) {
			s, m := newEntries(t)
			m.values["a"] = data
			_, found, err := s.Get(t.Context(), "a")
			require.NoError(t, err)
			require.False(t, found)
			require.Empty(t, m.values)
			require.EqualValues(t, 1, s.Damaged())
		})
	}
	t.Run("not even bytes", func(t *testing.T) {
		s, m := newEntries(t)
		m.values["a"], m.getErr = whole, &cachestore.StoreError{Op: "get", Store: "x", Err: &cachestore.ValueTypeError{Type: "int"}}
		_, found, err := s.Get(t.Context(), "a")
		require.NoError(t, err)
		require.False(t, found)
		require.Empty(t, m.values)
		require.EqualValues(t, 1, s.Damaged())
	})
	t.Run("that cannot be deleted", func(t *testing.T) {
		s, m := newEntries(t)
		m.values["a"], m.delErr = whole[:73], errors.New("read-only")
		for range 2 {
			_, found, err := s.Get(t.Context(), "a")
			require.NoError(t, err)
			require.False(t, found)
		}
		require.EqualValues(t, 2, s.Damaged())
	})
}

func TestErrorsOfTheStoreComeThrough(t *testing.T) {
	s, m := newEntries(t)
	m.getErr = errors.New("down")
	_, found, err := s.Get(t.Context(), "a")
	require.ErrorIs(t, err, m.getErr)
	require.False(t, found)
	require.Zero(t, s.Damaged())

	require.ErrorIs(t, s.Set(t.Context(), cachestore.Entry{Key: string(make([]byte, cachestore.MaxKeyBytes+1))}), cachestore.ErrTooLarge)
}

func TestEntriesDelete(t *testing.T) {
	s, m := newEntries(t)
	require.NoError(t, s.Set(t.Context(), cachestore.Entry{Key: "a"}))
	require.NoError(t, s.Delete(t.Context(), "a"))
	require.Empty(t, m.values)
}
