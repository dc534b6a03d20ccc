package keyed_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware/internal/keyed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type state struct {
	key  string
	busy atomic.Int32
}

func newMap(max int) *keyed.Map[state] {
	return keyed.New(max,
		func(key string) *state { return &state{key: key} },
		func(s *state) bool { return s.busy.Load() == 0 })
}

func TestSameKeySameState(t *testing.T) {
	m := newMap(4)
	a, b := m.Get("a"), m.Get("b")
	require.NotSame(t, a, b)
	require.Same(t, a, m.Get("a"))
	require.Same(t, b, m.Get("b"))
	require.Equal(t, "a", a.key)
}

func TestLeastRecentlyUsedIdleStateGoes(t *testing.T) {
	m := newMap(3)
	b, c, a := m.Get("b"), m.Get("c"), m.Get("a")
	b.busy.Store(1) // the oldest, but it cannot go
	m.Get("a")
	m.Get("d")
	require.Same(t, a, m.Get("a"))
	require.Same(t, b, m.Get("b"))
	require.NotSame(t, c, m.Get("c"))
}

func TestKeysShareAStateWhileNoneIsIdle(t *testing.T) {
	m := newMap(2)
	m.Get("a").busy.Store(1)
	m.Get("b").busy.Store(1)
	c, d := m.Get("c"), m.Get("d")
	require.Same(t, c, d)
	require.NotSame(t, c, m.Get("a"))
	m.Get("a").busy.Store(0)
	require.NotSame(t, c, m.Get("c"), "room again")
}

func TestBoundHoldsUnderConcurrentUse(t *testing.T) {
	const bound = 16
	m := newMap(bound)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				key := fmt.Sprint("k", (i*7+g)%100)
				if s := m.Get(key); s.key != key {
					t.Errorf("key %s got the state of %s", key, s.key)
				}
			}
		})
	}
	wg.Wait()
	n := 0
	m.Range(func(string, *state) { n++ })
	require.LessOrEqual(t, n, bound)
}

func TestGetOfAKnownKeyDoesNotAllocate(t *testing.T) {
	m := newMap(4)
	m.Get("a")
	m.Get("b")
	require.Zero(t, testing.AllocsPerRun(100, func() { m.Get("a"); m.Get("b") }))
}

func BenchmarkGet(b *testing.B) {
	m := newMap(1024)
	m.Get("api.example.com")
	b.ReportAllocs()
	for b.Loop() {
		m.Get("api.example.com")
	}
}
