package semaphore_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/semaphore"
)

// uneven makes a simulation as a real machine is: everything comes a little
// late, and about three times in a second everything stands still, for a
// millisecond or two, now and then for ten.
type uneven struct {
	begin  time.Time
	pauses []pause

	mu     sync.Mutex
	random *rand.Rand
}

// pause is a time in which nothing happens, since begin.
type pause struct{ from, to time.Duration }

func newUneven(seed uint64) *uneven {
	u := &uneven{begin: time.Now(), random: rand.New(rand.NewPCG(seed, 1))}
	for t := time.Duration(0); t < 20*time.Second; {
		from := t + u.exponential(300*time.Millisecond)
		t = from + u.exponential(2*time.Millisecond)
		u.pauses = append(u.pauses, pause{from, t})
	}
	return u
}

func (u *uneven) exponential(mean time.Duration) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	return time.Duration(u.random.ExpFloat64() * float64(mean))
}

// sleep waits for d, and for as long as this machine is late.
func (u *uneven) sleep(ctx context.Context, d time.Duration) {
	at := time.Since(u.begin) + d + 150*time.Microsecond + u.exponential(250*time.Microsecond)
	if i := slices.IndexFunc(u.pauses, func(p pause) bool { return p.to > at }); i >= 0 && u.pauses[i].from <= at {
		at = u.pauses[i].to
	}
	select {
	case <-time.After(at - time.Since(u.begin)):
	case <-ctx.Done():
	}
}

// wire is the way to the upstream and back.
func (u *uneven) wire(next http.RoundTripper) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		u.sleep(req.Context(), 0)
		resp, err := next.RoundTrip(req)
		u.sleep(req.Context(), 0)
		if err := req.Context().Err(); err != nil {
			return nil, err
		}
		return resp, err
	})
}

// load sends a request at about each of the given times.
func (u *uneven) load(t *testing.T, rt http.RoundTripper, at []time.Duration, deadline time.Duration) []*offered {
	var pending sync.WaitGroup
	calls := make([]*offered, len(at))
	for i := range at {
		if wait := at[i] - time.Since(u.begin); wait > 0 {
			u.sleep(t.Context(), wait)
		}
		c := &offered{arrived: time.Since(u.begin)}
		calls[i] = c
		pending.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			c.fresh = status(ctx, rt) == 200 && time.Since(u.begin) <= c.arrived+deadline
		})
	}
	pending.Wait()
	return calls
}

// The overload experiment as it goes on a real machine, by the mean of some runs:
// the stage is told nothing. What service times that scatter allow at most is
// not exactly the ceiling, which is about their mean.
func TestOverloadOnAnUnevenMachine(t *testing.T) {
	const slots, service, deadline, runs = 20, 50 * time.Millisecond, 2 * time.Second, 6
	scattered := func(i int) time.Duration {
		return service/2 + time.Duration(rand.New(rand.NewPCG(uint64(i), 1)).ExpFloat64()*float64(service/2))
	}
	for _, tt := range []struct {
		name     string
		at       []time.Duration
		accept   int
		obedient bool
		service  func(int) time.Duration
		share    float64
	}{
		{"staged load, an accept queue of 40", staged(), 40, true, constant(service), 0.99},
		{"D: flat load, an accept queue without bound, abandoned work is finished", flat(1000, 8*time.Second), 1 << 30, false, constant(service), 0.99},
		{"D, service times that scatter", flat(1000, 8*time.Second), 1 << 30, false, scattered, 0.90},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var mean float64
			for seed := range runs {
				synctest.Test(t, func(t *testing.T) {
					machine := newUneven(uint64(seed))
					up := &simulated{slots: slots, service: tt.service, accept: tt.accept, refuses: time.Millisecond, obedient: tt.obedient, begin: time.Now()}
					s := adaptiveStage(t, func(c *semaphore.Config) { c.Queue = 2048 })
					calls := machine.load(t, s.Wrap(machine.wire(up)), tt.at, deadline)
					time.Sleep(time.Minute)
					fresh := 0
					for _, c := range calls {
						if c.fresh {
							fresh++
						}
					}
					share := float64(fresh) / float64(ceiling(calls, deadline, slots, service))
					t.Logf("%.2f %%, %d done in vain, limit %d", 100*share, up.requests-fresh, s.Stats()[0].Limit)
					mean += share / runs
				})
			}
			t.Logf("%.2f %%", 100*mean)
			require.GreaterOrEqual(t, mean, tt.share)
		})
	}
}
