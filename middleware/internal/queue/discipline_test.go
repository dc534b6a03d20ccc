package queue_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/headgate-go/headgate/middleware/internal/queue"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// arrival came at the given second and has to be served within ten.
func arrival(second, priority int, tenant string) queue.Arrival {
	at := start.Add(time.Duration(second) * time.Second)
	return queue.Arrival{By: at.Add(10 * time.Second), Since: at, Priority: priority, Tenant: tenant}
}

func order(q *queue.Queue, now time.Time, names map[*queue.Waiter]string) (all []string) {
	for w := q.Pop(now); w != nil; w = q.Pop(now) {
		all = append(all, names[w])
	}
	return all
}

func TestHigherPriorityGoesFirstButAgeingEndsThat(t *testing.T) {
	q := queue.New()
	q.Ageing = 3 * time.Second
	names := map[*queue.Waiter]string{}
	for _, w := range []struct {
		name             string
		second, priority int
	}{{"low", 0, -1}, {"normal", 1, 0}, {"high", 2, 1}, {"low, late", 5, -1}, {"high, late", 5, 1}, {"normal, late", 5, 0}} {
		names[q.Push(arrival(w.second, w.priority, ""))] = w.name
	}
	require.Equal(t, []string{"high", "normal", "high, late", "low", "normal, late", "low, late"}, order(q, start, names))
}

func TestNobodyStarves(t *testing.T) {
	q := queue.New()
	q.Ageing = 2 * time.Second
	low := q.Push(arrival(0, -3, ""))
	for second := range 20 { // one more important comes each second, and one is served
		q.Push(arrival(second, 0, ""))
		if q.Pop(start.Add(time.Duration(second)*time.Second)) == low {
			require.LessOrEqual(t, second, 7)
			return
		}
	}
	t.Fatal("the least important was never served")
}

func TestAbsurdPrioritiesDoNotOverflow(t *testing.T) {
	q := queue.New()
	q.Ageing = time.Hour
	names := map[*queue.Waiter]string{}
	for _, p := range []int{-1 << 62, 0, 1 << 62} {
		names[q.Push(arrival(0, p, ""))] = fmt.Sprint(p > 0, p < 0)
	}
	require.Equal(t, []string{"true false", "false false", "false true"}, order(q, start, names))
}

func TestTenantsTakeTurns(t *testing.T) {
	q := queue.New()
	q.Ageing = time.Minute
	names := map[*queue.Waiter]string{}
	push := func(name, tenant string, priority int) {
		names[q.Push(arrival(0, priority, tenant))] = name
	}
	for i := range 4 {
		push(fmt.Sprint("a", i), "a", 0)
	}
	for i := range 2 {
		push(fmt.Sprint("b", i), "b", 0)
	}
	push("c0", "c", 0)
	push("d0", "d", 1) // more important: not a question of turns
	require.Equal(t, []string{"d0", "a0", "b0", "c0", "a1", "b1", "a2", "a3"}, order(q, start, names))
}

func TestAheadIsWhoWouldBeServedBefore(t *testing.T) {
	q := queue.New()
	for i := range 6 {
		q.Push(arrival(i, 0, "a"))
	}
	require.Equal(t, 6, q.Ahead(arrival(9, 0, "a")))
	require.Equal(t, 3, q.Ahead(arrival(2, 0, "a")))
	require.Equal(t, 0, q.Ahead(arrival(9, 0, "b")), "its tenant has its turn")
	q.Push(arrival(0, 0, "b"))
	require.Equal(t, 2, q.Ahead(arrival(9, 0, "b")))
}

func TestWhoIsWorthLeastMakesRoom(t *testing.T) {
	for _, tt := range []struct {
		name     string
		newcomer queue.Arrival
		victim   string
	}{
		{"a later deadline does not", arrival(9, 0, "a"), ""},
		{"an earlier deadline does", arrival(-1, 0, "a"), "a3"},
		{"a higher priority does", arrival(9, 1, "a"), "a3"},
		{"a lower priority does not", arrival(3, -1, "a"), ""},
		{"a tenant that has less waiting does", arrival(9, 0, "b"), "a3"},
		{"not if it is less important", arrival(9, -1, "b"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := queue.New()
			q.Ageing = 10 * time.Second
			names := map[*queue.Waiter]string{}
			for i := range 4 {
				names[q.Push(arrival(i, 0, "a"))] = fmt.Sprint("a", i)
			}
			require.Equal(t, tt.victim, names[q.Displace(tt.newcomer)])
			want := 4
			if tt.victim != "" {
				want = 3
			}
			require.Equal(t, want, q.Len())
		})
	}
	require.Nil(t, queue.New().Displace(arrival(0, 0, "")))
}

func TestPatientAndHurriedShareOneLine(t *testing.T) {
	q := queue.New()
	names := map[*queue.Waiter]string{}
	for i, patient := range []bool{true, false, true, false} {
		a := arrival(i, 0, "")
		a.Patient = patient
		names[q.Push(a)] = fmt.Sprint(i)
	}
	require.Equal(t, []string{"0", "1", "2", "3"}, order(q, start, names))
}

// patient puts n waiters without a deadline into the queue, one each 100 ms.
func patient(q *queue.Queue, n int) (all []*queue.Waiter) {
	for i := range n {
		at := start.Add(time.Duration(i) * 100 * time.Millisecond)
		all = append(all, q.Push(queue.Arrival{By: at.Add(time.Hour), Since: at, Patient: true}))
	}
	return all
}

func TestDelayThatStandsShedsTheOldestAndServesTheNewest(t *testing.T) {
	q := queue.New()
	q.Target = time.Second
	all := patient(q, 10)
	now := start.Add(time.Second)
	require.Nil(t, q.PopStale(now), "the delay has just reached the target")
	require.Nil(t, q.PopStale(now.Add(99*time.Millisecond)), "it may go away by itself")
	now = now.Add(100 * time.Millisecond)
	require.Same(t, all[0], q.PopStale(now))
	require.Nil(t, q.PopStale(now.Add(99*time.Millisecond)))
	require.Same(t, all[9], q.Pop(now), "the newest")
	require.Same(t, all[8], q.Pop(now))
	require.Same(t, all[1], q.PopStale(now.Add(100*time.Millisecond)))
	require.Nil(t, q.PopStale(now.Add(170*time.Millisecond)))
	require.Same(t, all[2], q.PopStale(now.Add(171*time.Millisecond)), "100 ms / sqrt(2) after")

	require.Nil(t, q.PopStale(start), "the delay is below the target")
	require.Same(t, all[3], q.Pop(start), "the oldest again")
}

func TestTheHurriedAreNotShedNorOvertaken(t *testing.T) {
	q := queue.New()
	q.Target = time.Millisecond
	hurried := q.Push(arrival(0, 0, ""))
	all := patient(q, 3)
	later := start.Add(9 * time.Second)
	q.PopStale(later)
	require.Same(t, all[0], q.PopStale(later.Add(time.Second)))
	require.Same(t, hurried, q.Pop(later), "its deadline comes first")
	require.Same(t, all[2], q.Pop(later))
	require.Nil(t, q.PopStale(later.Add(time.Minute)), "the last one is not shed")
	require.Same(t, all[1], q.Pop(later))
}

func TestExpiredAreFoundWhereverTheyStand(t *testing.T) {
	q := queue.New()
	q.Ageing = time.Hour
	important, second, first := q.Push(arrival(5, 1, "")), q.Push(arrival(1, 0, "")), q.Push(arrival(0, 0, ""))
	left, ok := q.NextExpiry(start)
	require.True(t, ok)
	require.Equal(t, 10*time.Second, left)
	firsts, seconds := arrival(0, 0, "").By, arrival(1, 0, "").By
	require.Nil(t, q.PopExpired(firsts), "just in time")
	require.Same(t, first, q.PopExpired(seconds))
	require.Nil(t, q.PopExpired(seconds))
	require.Same(t, important, q.Pop(start))
	require.Same(t, second, q.Pop(start))
	_, ok = q.NextExpiry(start)
	require.False(t, ok)
}

// Whatever is done, everybody leaves the queue exactly once.
func TestNobodyIsLostOrServedTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := queue.New()
		q.Ageing, q.Target = time.Second, 500*time.Millisecond
		now := start
		var in []*queue.Waiter
		leave := func(t *rapid.T, w *queue.Waiter) {
			if w == nil {
				return
			}
			i := slices.Index(in, w)
			if i < 0 {
				t.Fatal("somebody left twice")
			}
			in = slices.Delete(in, i, i+1)
		}
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				a := queue.Arrival{
					By: now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "by")) * time.Millisecond), Since: now,
					Patient: rapid.Bool().Draw(t, "patient"), Priority: rapid.IntRange(-1, 1).Draw(t, "priority"),
					Tenant: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "tenant"),
				}
				if len(in) >= 8 {
					victim := q.Displace(a)
					if victim == nil {
						return
					}
					leave(t, victim)
				}
				in = append(in, q.Push(a))
			},
			"wait": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "ms")) * time.Millisecond)
			},
			"pop":     func(t *rapid.T) { leave(t, q.Pop(now)) },
			"expired": func(t *rapid.T) { leave(t, q.PopExpired(now)) },
			"stale":   func(t *rapid.T) { leave(t, q.PopStale(now)) },
			"remove": func(t *rapid.T) {
				if len(in) > 0 {
					w := rapid.SampledFrom(in).Draw(t, "who")
					if !q.Remove(w) {
						t.Fatal("a waiter was gone")
					}
					leave(t, w)
				}
			},
			"": func(t *rapid.T) {
				if q.Len() != len(in) {
					t.Fatalf("%d waiters, want %d", q.Len(), len(in))
				}
			},
		})
		for q.Len() > 0 {
			leave(t, q.Pop(now))
		}
		if len(in) != 0 {
			t.Fatal("somebody was lost")
		}
	})
}
