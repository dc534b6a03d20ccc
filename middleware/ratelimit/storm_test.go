package ratelimit_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/ratelimit"
	"github.com/headgate-go/headgate/middleware/retry"
)

// quotaUpstream takes 300 requests a second, 300 at once, and asks for a second
// of silence beyond that. It answers after 20 ms.
type quotaUpstream struct {
	limiter *rate.Limiter
	mu      sync.Mutex
	in      int
}

func (u *quotaUpstream) RoundTrip(req *http.Request) (*http.Response, error) {
	req.Context().Value(attemptsKey{}).(*atomic.Int64).Add(1)
	u.mu.Lock()
	u.in++
	ok := u.limiter.AllowN(time.Now(), 1)
	u.mu.Unlock()
	time.Sleep(20 * time.Millisecond)
	if !ok {
		return respond(req, http.StatusTooManyRequests, http.Header{"Retry-After": {"1"}}), nil
	}
	return respond(req, http.StatusOK, nil), nil
}

// attemptsKey is where a call's context counts its attempts.
type attemptsKey struct{}

// stormed is how a storm went.
type stormed struct {
	attempts map[int64]int // calls by the number of their attempts
	failed   int           // calls that did not get a 200 in the end
	upstream int           // requests that the upstream saw
	took     time.Duration
}

// storm makes so many calls at once.
func storm(t *testing.T, calls int, stages ...middleware.Middleware) stormed {
	up := &quotaUpstream{limiter: rate.NewLimiter(300, 300)}
	rt := middleware.Chain(up, stages...)
	result := stormed{attempts: map[int64]int{}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := time.Now()
	for range calls {
		wg.Go(func() {
			attempts := new(atomic.Int64)
			req, _ := http.NewRequestWithContext(context.WithValue(t.Context(), attemptsKey{}, attempts), http.MethodGet, "http://a/", nil)
			resp, err := rt.RoundTrip(req)
			ok := err == nil && resp.StatusCode == http.StatusOK
			if err == nil {
				_ = resp.Body.Close()
			}
			mu.Lock()
			defer mu.Unlock()
			result.attempts[attempts.Load()]++
			if !ok {
				result.failed++
			}
		})
	}
	wg.Wait()
	result.took, result.upstream = time.Since(start), up.in
	return result
}

// Requirement 16, and the storm of issue 3: 1,600 calls at once for an upstream
// that takes 300 a second, which the gate is not told. All of them succeed, none
// needs all of its four attempts. A perfect client takes 4.3 s.
func TestPushbackStormWithoutKnowingTheRate(t *testing.T) {
	for _, c := range []struct {
		name            string
		requests, burst int
		ramp            time.Duration
		budget          bool // of retry
		perCall         float64
		most            time.Duration
	}{
		// The first 1,300 pushbacks cannot be helped: all are under way before the first.
		{name: "no gate to speak of", requests: 1e6, burst: 1e6, ramp: 2 * time.Second, perCall: 1.9, most: 7 * time.Second},
		{name: "a rate far too high", requests: 1e4, burst: 10, ramp: 2 * time.Second, budget: true, perCall: 1.2, most: 7 * time.Second},
		{name: "a rate a little too high", requests: 330, burst: 10, ramp: 2 * time.Second, budget: true, perCall: 1.05, most: 7 * time.Second},
		{name: "a slow ramp", requests: 1e4, burst: 10, ramp: 5 * time.Second, budget: true, perCall: 1.2, most: 9 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newStage(t, config(func(cfg *ratelimit.Config) {
					cfg.Requests, cfg.Burst, cfg.Ramp, cfg.Queue, cfg.MaxWait = c.requests, c.burst, c.ramp, 1600, time.Minute
				}))
				cfg := retry.DefaultConfig()
				cfg.MaxAttempts, cfg.Budget.Enabled = 4, c.budget
				r, err := retry.New(cfg)
				require.NoError(t, err)
				got := storm(t, 1600, r.Wrap, l.Wrap)
				perCall := float64(got.upstream) / 1600
				t.Logf("%.2f requests per call, %v, calls by attempts: %v", perCall, got.took, got.attempts)
				require.Zero(t, got.failed)
				require.Zero(t, got.attempts[4])
				require.LessOrEqual(t, perCall, c.perCall)
				require.LessOrEqual(t, got.took, c.most)
				require.EqualValues(t, got.upstream-1600, only(t, l).PushedBack)
			})
		})
	}
}
