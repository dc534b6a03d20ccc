package middlewaretest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// call is one request given to the upstream's handler without a network, so that time can be exact.
type call struct {
	at     time.Duration
	status int // 0: the handler broke off
}

// arrive sends n requests at once and returns when and how each ended, in the order of ending.
func arrive(ctx context.Context, u *Upstream, n int, since time.Time) func() []call {
	var mu sync.Mutex
	var ended []call
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			w := httptest.NewRecorder()
			defer func() {
				c := call{at: time.Since(since), status: w.Code}
				if recover() != nil {
					c.status = 0
				}
				mu.Lock()
				ended = append(ended, c)
				mu.Unlock()
			}()
			u.serve(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
		})
		synctest.Wait() // in this order
	}
	return func() []call { all.Wait(); return ended }
}

func TestCapacity(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name string
		cfg  Config
		n    int
		want []call
	}{
		{"without a limit everybody is served at once", Config{ServiceTime: 50 * ms}, 3,
			[]call{{50 * ms, 200}, {50 * ms, 200}, {50 * ms, 200}}},
		{"slots are served, the queue waits, the rest is turned away at once", Config{Capacity: 1, ServiceTime: 50 * ms, Queue: 2}, 5,
			[]call{{0, 503}, {0, 503}, {50 * ms, 200}, {100 * ms, 200}, {150 * ms, 200}}},
		{"an unbounded queue turns nobody away", Config{Capacity: 2, ServiceTime: 50 * ms, Queue: Unbounded}, 5,
			[]call{{50 * ms, 200}, {50 * ms, 200}, {100 * ms, 200}, {100 * ms, 200}, {150 * ms, 200}}},
		{"a delay holds the slot too", Config{Capacity: 1, ServiceTime: 50 * ms, Queue: 1, Script: Always(Answer{Delay: 20 * ms})}, 2,
			[]call{{70 * ms, 200}, {140 * ms, 200}}},
		{"a stream holds the slot until it ends", Config{Capacity: 1, Queue: 1, Script: Always(Answer{Stream: Repeat(3, Chunk{Gap: 10 * ms})})}, 2,
			[]call{{30 * ms, 200}, {60 * ms, 200}}},
		{"the busy answer can be another one", Config{Capacity: 1, ServiceTime: 50 * ms, BusyAnswer: Text(529, "overloaded")}, 2,
			[]call{{0, 529}, {50 * ms, 200}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := newUpstream(tt.cfg)
				defer u.stop()
				ended := arrive(t.Context(), u, tt.n, time.Now())()
				require.Equal(t, tt.want, ended)
				require.Zero(t, u.Stats().Serving)
				require.Zero(t, u.Stats().Queued)
			})
		})
	}
}

func TestTheOverloadExperimentsUpstreamServes400ASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUpstream(Busy())
		defer u.stop()
		ended := arrive(t.Context(), u, 100, time.Now())()
		served := map[time.Duration]int{}
		for _, c := range ended {
			if c.status == 200 {
				served[c.at]++
			}
		}
		require.Equal(t, map[time.Duration]int{50 * time.Millisecond: 20, 100 * time.Millisecond: 20, 150 * time.Millisecond: 20}, served)
		s := u.Stats()
		require.Equal(t, 40, s.Busy)
		require.Equal(t, 20, s.MaxServing)
		require.Equal(t, 40, s.MaxQueued)
		require.Equal(t, 100, s.Answered)
	})
}

func TestAClientThatLeaves(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name   string
		finish bool
		want   time.Duration // when the request that comes last is answered
	}{
		{"frees its place in the queue and its slot", false, 80 * ms},
		{"is served all the same where the upstream finishes abandoned work", true, 150 * ms},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := newUpstream(Config{Capacity: 1, ServiceTime: 50 * ms, Queue: Unbounded, FinishAbandoned: tt.finish})
				defer u.stop()
				since := time.Now()
				ctx, leave := context.WithTimeout(t.Context(), 30*ms)
				defer leave()
				abandoned := arrive(ctx, u, 2, since) // one is being served, one waits
				last := arrive(t.Context(), u, 1, since)
				require.Equal(t, []call{{tt.want, 200}}, last())
				abandoned()
				require.Equal(t, 2, u.Stats().Abandoned)
				require.Equal(t, 1, u.Stats().Answered)
			})
		})
	}
}

func TestSetCapacity(t *testing.T) {
	const ms = time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		u := newUpstream(Config{Capacity: 1, ServiceTime: 50 * ms, Queue: Unbounded})
		defer u.stop()
		ended := arrive(t.Context(), u, 6, time.Now())
		time.Sleep(10 * ms)
		u.SetCapacity(3) // two more start at 10 ms; the three left start as slots become free
		time.Sleep(10 * ms)
		u.SetCapacity(1) // breaks off nobody; the next starts when the last of the three has ended
		require.Equal(t, 3, u.Stats().Serving)
		require.Equal(t, []call{{50 * ms, 200}, {60 * ms, 200}, {60 * ms, 200}, {110 * ms, 200}, {160 * ms, 200}, {210 * ms, 200}}, ended())
		u.SetCapacity(-1)
		synctest.Wait()
		require.Len(t, arrive(t.Context(), u, 100, time.Now())(), 100)
		require.Equal(t, 100, u.Stats().MaxServing)
	})
}

func TestAServiceStartsWhenTheOneBeforeWasDueAndNotWhenItsTimerFired(t *testing.T) {
	start := time.Now()
	s := &slots{capacity: 1, bound: Unbounded}
	first, ok := s.enter(start)
	require.True(t, ok)
	require.Equal(t, start, <-first.granted)
	early, _ := s.enter(start.Add(10 * time.Millisecond))
	late, _ := s.enter(start.Add(200 * time.Millisecond))
	s.leave(start.Add(50 * time.Millisecond)) // called 1 ms or 100 ms later: no matter
	require.Equal(t, start.Add(50*time.Millisecond), <-early.granted)
	s.leave(start.Add(100 * time.Millisecond))
	require.Equal(t, start.Add(200*time.Millisecond), <-late.granted, "nobody is served before it has come")
}

func TestAPlaceThatIsGivenUpWhileItIsGrantedGoesToTheNext(t *testing.T) {
	now := time.Now()
	s := &slots{capacity: 1, bound: Unbounded}
	_, _ = s.enter(now)
	second, _ := s.enter(now)
	third, _ := s.enter(now)
	s.leave(now)           // the second is granted
	s.abandon(second, now) // and leaves before it has looked
	require.Equal(t, now, <-third.granted)
	s.leave(now)
	inUse, most, queued, _ := s.levels()
	require.Zero(t, inUse)
	require.Equal(t, 1, most)
	require.Zero(t, queued)
}

func TestAScriptThatPanicsAnswers500WithItsText(t *testing.T) {
	u := newUpstream(Config{Script: func(int, *http.Request) Answer { panic("no answer for this") }})
	defer u.stop()
	w := httptest.NewRecorder()
	u.serve(w, httptest.NewRequest(http.MethodGet, "/", nil))
	require.Equal(t, 500, w.Code)
	require.Contains(t, w.Body.String(), "no answer for this")
}
