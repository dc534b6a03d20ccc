package circuitbreaker_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
)

// Callers that come, fail, hang and give up at random, while settings change:
// nothing is stranded, and all is well again once the upstream is.
func TestNothingIsStrandedUnderConcurrentUse(t *testing.T) {
	cfg := config(func(c *circuitbreaker.Config) {
		c.ConsecutiveFailures, c.OpenFor, c.MaxOpenFor = 5, time.Millisecond, 4*time.Millisecond
		c.Probes, c.ProbeSuccesses, c.ProbeLease = 2, 3, 10*time.Millisecond
		c.Window, c.SlowCall = 5*time.Millisecond, time.Hour
	})
	s, err := circuitbreaker.New(cfg)
	require.NoError(t, err)
	var healthy atomic.Bool
	rt := s.Wrap(middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		switch n := rand.IntN(10); {
		case healthy.Load() || n < 3:
			return status(http.StatusOK)(req)
		case n < 7:
			return fails(req)
		case n < 8:
			return nil, middleware.ErrRejected
		default:
			<-req.Context().Done()
			return nil, req.Context().Err()
		}
	}))
	one := func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Duration(rand.IntN(2000))*time.Microsecond)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/", nil)
		return read(rt.RoundTrip(req))
	}
	var callers sync.WaitGroup
	for range 16 {
		callers.Go(func() {
			for range 100 {
				_ = one(t.Context())
			}
		})
	}
	callers.Go(func() {
		for i := range 20 {
			other := cfg
			other.WindowCalls = i % 2 * 50
			_ = s.Update(other)
			s.Stats()
			time.Sleep(time.Millisecond)
		}
	})
	callers.Wait()

	healthy.Store(true)
	require.Eventually(t, func() bool {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/", nil)
		return read(rt.RoundTrip(req)) == nil && s.State(host) == circuitbreaker.Closed
	}, 10*time.Second, time.Millisecond)
}

// However many come at the moment when the open time is over, one goes through.
func TestOneProbeOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.bad(10)
		var sent, refused atomic.Int32
		release := make(chan struct{})
		rt := r.stage.Wrap(middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			sent.Add(1)
			<-release
			return status(http.StatusOK)(req)
		}))
		var callers sync.WaitGroup
		for range 100 {
			callers.Go(func() {
				time.Sleep(5 * time.Second)
				req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/", nil)
				if err := read(rt.RoundTrip(req)); err != nil {
					refused.Add(1)
				}
			})
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 1, sent.Load())
		require.EqualValues(t, 99, refused.Load())
		close(release)
		callers.Wait()
		r.state(circuitbreaker.Closed)
		require.Equal(t, []string{"opened", "half_open", "closed"}, r.kinds())
	})
}

// However many fail at the same time, the breaker opens once.
func TestOpensOnceForManyFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		rt := r.stage.Wrap(middleware.RoundTripperFunc(func(*http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return nil, errConnection
		}))
		var callers sync.WaitGroup
		for range 100 {
			callers.Go(func() {
				req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/", nil)
				_ = read(rt.RoundTrip(req))
			})
		}
		callers.Wait()
		require.EqualValues(t, 1, r.report().Openings)
		r.refused(5 * time.Second)
	})
}
