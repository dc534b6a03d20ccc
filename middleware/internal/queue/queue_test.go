package queue_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/headgate-go/headgate/middleware/internal/queue"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEarliestFirstAndFirstComeAmongEquals(t *testing.T) {
	q := queue.New()
	now := time.Now()
	late, soon, soonToo := queue.NewWaiter(now.Add(2)), queue.NewWaiter(now.Add(1)), queue.NewWaiter(now.Add(1))
	for _, w := range []*queue.Waiter{late, soon, soonToo} {
		q.Push(w)
	}
	require.Same(t, soon, q.Pop(time.Now()))
	require.Same(t, soonToo, q.Pop(time.Now()))
	require.Same(t, late, q.Pop(time.Now()))
	require.Nil(t, q.Pop(time.Now()))
}

func TestRemoveTellsWhetherItStillWaited(t *testing.T) {
	q := queue.New()
	w := queue.NewWaiter(time.Now())
	require.False(t, q.Remove(w))
	q.Push(w)
	require.True(t, q.Remove(w))
	require.False(t, q.Remove(w))
	q.Push(w)
	q.Pop(time.Now())
	require.False(t, q.Remove(w))
}

func TestFateIsReadAfterDone(t *testing.T) {
	w := queue.NewWaiter(time.Now())
	boom := errors.New("boom")
	go w.Finish(boom)
	<-w.Done()
	require.Equal(t, boom, w.Fate())
}

func TestAnyOrderOfUseKeepsTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := queue.New()
		var model []*queue.Waiter // in the order of service
		epoch := time.Now()
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				w := queue.NewWaiter(epoch.Add(time.Duration(rapid.IntRange(0, 9).Draw(t, "by"))))
				q.Push(w)
				i := 0
				for i < len(model) && !model[i].By.After(w.By) {
					i++
				}
				model = slices.Insert(model, i, w)
			},
			"pop": func(t *rapid.T) {
				got := q.Pop(time.Now())
				if len(model) == 0 {
					if got != nil {
						t.Fatal("popped from an empty queue")
					}
					return
				}
				if got != model[0] {
					t.Fatal("popped the wrong waiter")
				}
				model = model[1:]
			},
			"remove": func(t *rapid.T) {
				if len(model) == 0 {
					return
				}
				i := rapid.IntRange(0, len(model)-1).Draw(t, "which")
				if !q.Remove(model[i]) {
					t.Fatal("a waiter was gone")
				}
				model = slices.Delete(model, i, i+1)
			},
			"": func(t *rapid.T) {
				if q.Len() != len(model) {
					t.Fatalf("%d waiters, want %d", q.Len(), len(model))
				}
			},
		})
	})
}
