package middleware_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

// counts is a Settler that counts, for each token, how often it was settled.
type counts [4]atomic.Int32

func (c *counts) Settle(token uint64, _ middleware.End) { c[token].Add(1) }

// slowly is a body of a few parts that take a moment each; half of them know their context.
type slowly struct {
	ctx   context.Context
	deaf  bool
	parts atomic.Int32
}

func (s *slowly) Read(p []byte) (int, error) {
	if s.parts.Add(-1) < 0 {
		return 0, io.EOF
	}
	wait := time.NewTimer(time.Duration(rand.IntN(200)) * time.Microsecond)
	defer wait.Stop()
	if s.deaf {
		<-wait.C
		return 1, nil
	}
	select {
	case <-wait.C:
		return 1, nil
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
}

func (s *slowly) Close() error { return nil }

// Everything that can end an exchange happens at once; each settler is called once all the same.
func TestEndsThatRaceSettleOnce(t *testing.T) {
	base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		derived, cancel := context.WithCancel(req.Context())
		body := &slowly{ctx: derived, deaf: rand.IntN(2) == 0}
		body.parts.Store(rand.Int32N(4))
		context.AfterFunc(derived, cancel)
		return &http.Response{StatusCode: 200, Body: body, Header: http.Header{}}, nil
	})
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			var all sync.WaitGroup
			for range 64 {
				all.Go(func() {
					for range 20 {
						raceOneCall(t, base, shape.attempts, shape.build)
					}
				})
			}
			all.Wait()
		})
	}
}

func raceOneCall(t *testing.T, base http.RoundTripper, attempts bool, build func(http.RoundTripper, middleware.Middleware, middleware.Middleware) http.RoundTripper) {
	moment := func() time.Duration { return time.Duration(1+rand.IntN(300)) * time.Microsecond }
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var c counts
	rt := build(base, watching(&c, 1, moment()), watching(&c, 2, moment()))
	canceler := time.AfterFunc(moment(), cancel)
	defer canceler.Stop()
	resp, err := rt.RoundTrip(request(ctx, t))
	if err == nil {
		var users sync.WaitGroup
		users.Go(func() { _, _ = io.Copy(io.Discard, resp.Body) })
		users.Go(func() {
			time.Sleep(moment())
			_ = resp.Body.Close()
		})
		users.Wait()
	}
	// The end may still be on its way in another goroutine: the timer's or the cancel's.
	want := int32(0)
	if attempts {
		want = 1
	}
	for c[1].Load() != 1 || c[2].Load() != want {
		if c[1].Load() > 1 || c[2].Load() > want {
			t.Errorf("settled %d and %d times", c[1].Load(), c[2].Load())
			return
		}
		time.Sleep(10 * time.Microsecond)
	}
}

// The methods of a context, from many goroutines, while the call and its attempts come and go.
func TestTheContextsMethodsAreSafeForConcurrentUse(t *testing.T) {
	for range 50 {
		ctx, cancel := context.WithCancel(context.Background())
		ex, req, end := joined(ctx, t)
		child, _ := ex.Child(req)
		var users sync.WaitGroup
		var ran, registered atomic.Int32
		for i := range 16 {
			users.Go(func() {
				e := []*middleware.Exchange{ex, child}[i%2]
				for range 20 {
					registered.Add(1)
					stop := e.AfterFunc(func() { ran.Add(1) })
					e.Limit(time.Now().Add(time.Duration(rand.IntN(3000))*time.Microsecond), errLimit)
					_, _ = e.Deadline()
					_ = e.Err()
					_ = e.Cause()
					_ = e.Value(ctxKey{})
					derived, done := context.WithTimeout(e, time.Duration(rand.IntN(2000))*time.Microsecond)
					if rand.IntN(2) == 0 && stop() {
						registered.Add(-1)
					}
					done()
					<-derived.Done()
				}
			})
		}
		if rand.IntN(2) == 0 {
			cancel()
		}
		users.Wait()
		end()
		cancel()
		<-child.Done()
		require.Eventually(t, func() bool { return ran.Load() == registered.Load() }, 5*time.Second, 100*time.Microsecond)
	}
}
