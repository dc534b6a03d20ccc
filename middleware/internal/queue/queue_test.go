package queue_test

import (
	"math"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/headgate-go/headgate/middleware/internal/queue"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEarliestFirstAndFirstComeAmongEquals(t *testing.T) {
	q := queue.New()
	now := time.Now()
	late, soon, soonToo := q.Push(queue.Arrival{By: now.Add(2)}), q.Push(queue.Arrival{By: now.Add(1)}), q.Push(queue.Arrival{By: now.Add(1)})
	require.Same(t, soon, q.Pop(time.Now()))
	require.Same(t, soonToo, q.Pop(time.Now()))
	require.Same(t, late, q.Pop(time.Now()))
	require.Nil(t, q.Pop(time.Now()))
}

func TestRemoveTellsWhetherItStillWaited(t *testing.T) {
	q := queue.New()
	w := q.Push(queue.Arrival{By: time.Now()})
	require.True(t, q.Remove(w))
	require.False(t, q.Remove(w))
	w = q.Push(queue.Arrival{By: time.Now()})
	q.Pop(time.Now())
	require.False(t, q.Remove(w))
}

func TestAFateIsToldToWhomeverWaitsForIt(t *testing.T) {
	w := queue.New().Push(queue.Arrival{By: time.Now()})
	fate, _ := w.Fate()
	require.Equal(t, queue.Waiting, fate)
	served := queue.Grant{Number: 7, InUse: 3, Limit: 4}
	go w.Finish(queue.Served, served)
	<-w.Turn()
	fate, grant := w.Fate()
	require.Equal(t, queue.Served, fate)
	require.Equal(t, served, grant)
}

func TestAFateDoesNotBlockWhoeverDecidesIt(t *testing.T) {
	w := queue.New().Push(queue.Arrival{By: time.Now()})
	w.Turn() <- struct{}{} // it was woken, and did not look yet
	w.Finish(queue.Stale, queue.Grant{})
	fate, _ := w.Fate()
	require.Equal(t, queue.Stale, fate)
}

func TestTimesThatAreFarAwayKeepTheirOrder(t *testing.T) {
	q := queue.New()
	q.Ageing = time.Hour
	now := time.Now()
	far := now.Add(math.MaxInt64)
	never, sooner, long := q.Push(queue.Arrival{By: far}), q.Push(queue.Arrival{By: far, Priority: 1000}), q.Push(queue.Arrival{By: now.Add(-math.MaxInt64), Priority: -1000})
	require.Same(t, long, q.Pop(now))
	require.Same(t, sooner, q.Pop(now))
	require.Nil(t, q.PopExpired(now))
	require.Same(t, never, q.Pop(now))
}

func TestAWaiterIsSmall(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(queue.Waiter{}), uintptr(80), "a size class")
}

func TestAnyOrderOfUseKeepsTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := queue.New()
		var model []*queue.Waiter // in the order of service
		due := map[*queue.Waiter]time.Time{}
		epoch := time.Now()
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				by := epoch.Add(time.Duration(rapid.IntRange(0, 9).Draw(t, "by")))
				w := q.Push(queue.Arrival{By: by})
				due[w] = by
				i := 0
				for i < len(model) && !due[model[i]].After(by) {
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
