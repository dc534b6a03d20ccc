package storms_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/docs/benchmarks/storms"
)

const ms = time.Millisecond

func get(t *testing.T, up *storms.Upstream, limit time.Duration) (status int, took time.Duration, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://api.example.com/", nil)
	require.NoError(t, err)
	begin := time.Now()
	resp, err := up.RoundTrip(req)
	if err != nil {
		return 0, time.Since(begin), err
	}
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, time.Since(begin), nil
}

// together sends n requests at once and gives how many came back with which status, and when the last did.
func together(t *testing.T, up *storms.Upstream, n int) (statuses map[int]int, last time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var pending sync.WaitGroup
	statuses = map[int]int{}
	for range n {
		pending.Go(func() {
			status, took, err := get(t, up, time.Minute)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				statuses[status]++
			}
			last = max(last, took)
		})
	}
	pending.Wait()
	return statuses, last
}

func TestUpstreamServesByItsSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &storms.Upstream{Slots: 2, Queue: 3, Latency: ms, Service: storms.Always(50 * ms)}
		statuses, last := together(t, up, 7)
		require.Equal(t, map[int]int{200: 5, 503: 2}, statuses)
		require.Equal(t, 151*ms, last, "five at two a time")
		require.Equal(t, storms.Stats{Requests: 7, Served: 5, Refused: 2}, up.Stats())
	})
}

func TestRefusalsCostCapacity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &storms.Upstream{Slots: 1, Refusal: 10 * ms, Service: storms.Always(50 * ms)}
		statuses, _ := together(t, up, 4)
		require.Equal(t, map[int]int{200: 1, 503: 3}, statuses)
		_, took, err := get(t, up, time.Second)
		require.NoError(t, err)
		require.Equal(t, 80*ms, took, "three refusals' work first")
		_, took, err = get(t, up, time.Second)
		require.NoError(t, err)
		require.Equal(t, 50*ms, took)
	})
}

func TestWhoLeavesGivesThePlaceBack(t *testing.T) {
	for name, finish := range map[string]bool{"at once": false, "when it is finished": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &storms.Upstream{Slots: 1, Queue: 9, Finish: finish, Service: storms.Always(50 * ms)}
				defer up.Wait()
				_, took, err := get(t, up, 10*ms)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, 10*ms, took)
				_, took, err = get(t, up, time.Second)
				require.NoError(t, err)
				if finish {
					require.Equal(t, 90*ms, took)
				} else {
					require.Equal(t, 50*ms, took)
				}
			})
		})
	}
}

func TestSlotsChangeInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &storms.Upstream{Slots: 1, Queue: 9, Service: storms.Always(50 * ms)}
		time.AfterFunc(10*ms, func() { up.SetSlots(3) })
		_, last := together(t, up, 3)
		require.Equal(t, 60*ms, last)
	})
}

func TestAnswerComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &storms.Upstream{Service: storms.Always(50 * ms)}
		up.SetAnswer(func(n int) (*http.Response, error) {
			if n == 1 {
				return storms.Response(http.StatusTooManyRequests, "Retry-After", "1"), nil
			}
			return nil, nil
		})
		status, took, err := get(t, up, time.Second)
		require.NoError(t, err)
		require.Equal(t, http.StatusTooManyRequests, status)
		require.Zero(t, took)
		status, took, err = get(t, up, time.Second)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, 50*ms, took)
	})
}

func TestSteadyLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &storms.Upstream{Service: storms.Always(50 * ms)}
		calling := storms.NewLoad(up, time.Second)
		calling.Steady(100, time.Second)
		calls := calling.Wait()
		require.Len(t, calls, 100)
		require.Equal(t, 100, calls.OK())
		require.Equal(t, []float64{50, 50}, calls.Took(0, 1))
		require.Len(t, calls.Begun(0, 500*ms), 50)
		require.InDelta(t, 90, calls.Goodput(0, 500*ms), 1, "those of the last 50 ms are not there yet")
	})
}

func TestRecovered(t *testing.T) {
	var calls storms.Calls
	for at := time.Duration(0); at < 10*time.Second; at += 10 * ms {
		down := at >= 2*time.Second && at < 4300*ms
		calls = append(calls, storms.Call{Begin: at, OK: !down})
	}
	took, ok := calls.Recovered(3*time.Second, 1)
	require.True(t, ok)
	require.Equal(t, 1300*ms, took)
	_, ok = calls.Recovered(9*time.Second, 1)
	require.False(t, ok, "too late to say that it stays")
	_, ok = storms.Calls(nil).Recovered(0, 1)
	require.False(t, ok)
}
