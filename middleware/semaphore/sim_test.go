package semaphore_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/semaphore"
)

// simulated is an upstream with slots in which it works, and a queue before
// them. It is used within a bubble; the order in which goroutines run at one
// instant is not fixed there, and what a simulation shows must not depend on it.
type simulated struct {
	slots    int
	service  func(i int) time.Duration // of its i-th request
	accept   int                       // requests that wait for a slot; more get a 503
	down     error                     // while not nil, what every request gets
	refuses  time.Duration             // how long a 503 takes
	obedient bool                      // gives up work that nobody waits for

	mu       sync.Mutex
	busy     int
	line     []chan struct{}
	requests int
	refused  int
	answered []time.Duration // since begin
	begin    time.Time
}

var errBusy = errors.New("503")

func (u *simulated) RoundTrip(req *http.Request) (*http.Response, error) {
	u.mu.Lock()
	i := u.requests
	u.requests++
	if u.down != nil && u.down != errBusy {
		err := u.down
		u.mu.Unlock()
		if errors.Is(err, context.DeadlineExceeded) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}
		time.Sleep(u.refuses)
		return nil, err
	}
	if u.down == errBusy || u.busy >= u.slots && len(u.line) >= u.accept {
		u.refused++
		u.mu.Unlock()
		time.Sleep(u.refuses)
		return response(req, 503), nil
	}
	turn := make(chan struct{})
	u.line = append(u.line, turn)
	u.start()
	u.mu.Unlock()

	done := make(chan struct{})
	go func() { // it goes on, whether somebody waits for it or not
		<-turn
		if !u.obedient || req.Context().Err() == nil {
			u.mu.Lock()
			service := u.service
			u.mu.Unlock()
			time.Sleep(service(i))
		}
		u.mu.Lock()
		u.busy--
		u.start()
		u.mu.Unlock()
		close(done)
	}()
	select {
	case <-done:
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	u.mu.Lock()
	u.answered = append(u.answered, time.Since(u.begin))
	u.mu.Unlock()
	return response(req, 200), nil
}

// start begins work. mu is held.
func (u *simulated) start() {
	for u.busy < u.slots && len(u.line) > 0 {
		u.busy++
		close(u.line[0])
		u.line = u.line[1:]
	}
}

func (u *simulated) set(f func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f()
	u.start()
}

func response(req *http.Request, status int) *http.Response {
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("ok")), Request: req, Header: http.Header{}}
}

func constant(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

// unbounded finds the limit, and is told nothing about the upstream.
func unbounded() semaphore.Config {
	cfg := semaphore.DefaultConfig()
	cfg.Limit, cfg.MaxConcurrent = semaphore.LimitAdaptive, 1000
	return cfg
}

// adaptiveStage is one that is not told anything about its upstream.
func adaptiveStage(t *testing.T, change func(*semaphore.Config), opts ...semaphore.Option) *semaphore.Semaphore {
	cfg := unbounded()
	if change != nil {
		change(&cfg)
	}
	return newStage(t, cfg, opts...)
}

// offered is a request of an open-loop load.
type offered struct {
	arrived time.Duration
	fresh   bool
}

// offer sends a request at each of the given times, each with the deadline.
func offer(t *testing.T, rt http.RoundTripper, at []time.Duration, deadline time.Duration) []*offered {
	var pending sync.WaitGroup
	begin := time.Now()
	calls := make([]*offered, len(at))
	for i := range at {
		time.Sleep(time.Until(begin.Add(at[i])))
		c := &offered{arrived: at[i]}
		calls[i] = c
		pending.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			c.fresh = status(ctx, rt) == 200 && time.Since(begin) <= c.arrived+deadline
		})
	}
	pending.Wait()
	return calls
}

// status is what a request got; 0 for an error.
func status(ctx context.Context, rt http.RoundTripper) int {
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://a/", nil)
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0
	}
	return resp.StatusCode
}

// ceiling is the number of calls that a perfect queue could have answered in
// time: the slots are never idle while somebody waits who can still be served,
// and none is spent on an answer that comes too late.
func ceiling(calls []*offered, deadline time.Duration, slots int, service time.Duration) (served int) {
	free := make([]time.Duration, slots)
	for _, c := range calls {
		first := 0
		for i := range free {
			if free[i] < free[first] {
				first = i
			}
		}
		if done := max(c.arrived, free[first]) + service; done <= c.arrived+deadline {
			free[first] = done
			served++
		}
	}
	return served
}

func staged() (at []time.Duration) {
	for s := range 10 {
		gap := time.Second / time.Duration(100*(s+1))
		for d := time.Duration(0); d < 800*time.Millisecond; d += gap {
			at = append(at, time.Duration(s)*800*time.Millisecond+d)
		}
	}
	return at
}

func flat(perSecond int, d time.Duration) (at []time.Duration) {
	for t := time.Duration(0); t < d; t += time.Second / time.Duration(perSecond) {
		at = append(at, t)
	}
	return at
}

// The overload experiment of docs/benchmarks, deterministic: the share of the
// answers that a perfect queue would have given, by a stage that is not told
// the capacity.
func TestOverloadIsServedNearlyAsByAPerfectQueue(t *testing.T) {
	for _, tt := range []struct {
		name     string
		at       []time.Duration
		accept   int
		obedient bool
		share    float64
	}{
		{"staged load, an accept queue of 40", staged(), 40, true, 0.97},
		{"staged load, no accept queue", staged(), 0, true, 0.95},
		{"staged load, an accept queue without bound, abandoned work is finished", staged(), 1 << 30, false, 0.97},
		{"D: flat load, an accept queue without bound, abandoned work is finished", flat(1000, 8*time.Second), 1 << 30, false, 0.97},
		{"flat load, an accept queue of 40", flat(1000, 8*time.Second), 40, true, 0.97},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const service, deadline = 50 * time.Millisecond, 2 * time.Second
				up := &simulated{slots: 20, service: constant(service), accept: tt.accept, refuses: time.Millisecond, obedient: tt.obedient, begin: time.Now()}
				s := adaptiveStage(t, nil)
				calls := offer(t, s.Wrap(up), tt.at, deadline)
				time.Sleep(time.Minute)
				fresh := 0
				for _, c := range calls {
					if c.fresh {
						fresh++
					}
				}
				most := ceiling(calls, deadline, 20, service)
				share, cost := float64(fresh)/float64(most), float64(up.requests)/float64(len(calls))
				t.Logf("%d calls, %d answers of at most %d: %.1f %%; %.3f upstream requests a call, %d refused; %+v", len(calls), fresh, most, 100*share, cost, up.refused, s.Stats()[0])
				require.GreaterOrEqual(t, share, tt.share)
				require.LessOrEqual(t, cost, 0.85)
			})
		})
	}
}

// workers call over and over; what they get is counted for each 100 ms.
type workers struct {
	stop  context.CancelFunc
	wg    sync.WaitGroup
	begin time.Time
	mu    sync.Mutex
	good  []int
	bad   []int
}

func work(t *testing.T, rt http.RoundTripper, n int, timeout time.Duration) *workers {
	ctx, cancel := context.WithCancel(t.Context())
	w := &workers{stop: cancel, begin: time.Now(), good: make([]int, 1000), bad: make([]int, 1000)}
	for range n {
		w.wg.Go(func() {
			for ctx.Err() == nil {
				c, done := context.WithTimeout(ctx, cmp.Or(timeout, time.Hour))
				code := status(c, rt)
				done()
				w.mu.Lock()
				if i := int(time.Since(w.begin) / (100 * time.Millisecond)); code == 200 {
					w.good[i]++
				} else {
					w.bad[i]++
				}
				w.mu.Unlock()
				if code != 200 {
					time.Sleep(5 * time.Millisecond) // eager, but not infinitely fast
				}
			}
		})
	}
	return w
}

func (w *workers) end() {
	w.stop()
	w.wg.Wait()
	time.Sleep(time.Minute) // until the upstream is done
}

// goodput is the answers in a second between two times.
func (w *workers) goodput(from, to time.Duration) float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, g := range w.good[from/(100*time.Millisecond) : to/(100*time.Millisecond)] {
		n += g
	}
	return float64(n) / (to - from).Seconds()
}

// Requirement 15.
func TestLimitSettlesAtTheCapacity(t *testing.T) {
	for _, tt := range []struct {
		name     string
		capacity int
		accept   int
		service  time.Duration
		refuses  time.Duration
	}{
		{"instant 503 above 10", 10, 0, 50 * time.Millisecond, 100 * time.Microsecond},
		{"instant 503 above 10, slow answers", 10, 0, time.Second, 100 * time.Microsecond},
		{"instant 503 above 10, fast answers", 10, 0, 5 * time.Millisecond, 100 * time.Microsecond},
		{"instant 503 above 3", 3, 0, 50 * time.Millisecond, 100 * time.Microsecond},
		{"instant 503 above 70", 70, 0, 50 * time.Millisecond, 100 * time.Microsecond},
		{"an accept queue without bound before 10", 10, 1 << 30, 50 * time.Millisecond, 0},
		{"an accept queue without bound before 4, fewer than it begins with", 4, 1 << 30, 50 * time.Millisecond, 0},
		{"an accept queue without bound before 60", 60, 1 << 30, 50 * time.Millisecond, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &simulated{slots: tt.capacity, service: constant(tt.service), accept: tt.accept, refuses: tt.refuses, begin: time.Now()}
				s := adaptiveStage(t, nil)
				w := work(t, s.Wrap(up), 100, 0)
				settle := max(2*time.Second, 20*tt.service)
				time.Sleep(settle)
				var refused, afterwards int
				up.set(func() { refused = up.refused })
				var limits []int
				const seconds = 20
				for range seconds * 10 {
					time.Sleep(100 * time.Millisecond)
					limits = append(limits, s.Stats()[0].Limit)
				}
				up.set(func() { afterwards = up.refused })
				perSecond := float64(afterwards-refused) / seconds
				goodput := w.goodput(settle, settle+seconds*time.Second) / (float64(tt.capacity) / tt.service.Seconds())
				w.end()
				sum := 0
				for _, l := range limits {
					sum += l
				}
				mean := float64(sum) / float64(len(limits))
				t.Logf("limit %.1f (%v...), %.1f refused a second after %d, goodput %.1f %%", mean, limits[:20], perSecond, refused, 100*goodput)
				require.InDelta(t, tt.capacity, mean, 0.3*float64(tt.capacity)+float64(min(tt.accept, 3)))
				require.Less(t, perSecond, 50.0)
				require.Greater(t, goodput, 0.88)
			})
		})
	}
}

func TestGoodputComesBack(t *testing.T) {
	for _, tt := range []struct {
		name    string
		accept  int
		refuses time.Duration
		worse   func(*simulated)
		lasts   time.Duration
		timeout time.Duration
	}{
		{"capacity halved for a while, instant 503", 0, time.Millisecond, func(u *simulated) { u.slots = 10 }, 5 * time.Second, 0},
		{"capacity halved for a while, an accept queue", 1 << 30, 0, func(u *simulated) { u.slots = 10 }, 5 * time.Second, 0},
		{"an outage of 10 s, instant 503", 0, time.Millisecond, func(u *simulated) { u.down = errBusy }, 10 * time.Second, 0},
		{"an outage of 10 s, connections refused", 0, 10 * time.Millisecond, func(u *simulated) { u.down = errors.New("refused") }, 10 * time.Second, 0},
		{"an outage of 10 s, nothing answers", 40, 0, func(u *simulated) { u.down = context.DeadlineExceeded }, 10 * time.Second, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &simulated{slots: 20, service: constant(50 * time.Millisecond), accept: tt.accept, refuses: tt.refuses, begin: time.Now()}
				s := adaptiveStage(t, nil)
				w := work(t, s.Wrap(up), 100, tt.timeout)
				const begin = 5 * time.Second
				time.Sleep(begin)
				var before, meanwhile int
				up.set(func() { before = up.requests; tt.worse(up) })
				time.Sleep(tt.lasts)
				limit := s.Stats()[0].Limit
				up.set(func() { meanwhile = up.requests - before; up.slots, up.down = 20, nil })
				over := begin + tt.lasts
				time.Sleep(10 * time.Second)
				back := 0 * time.Second
				for w.goodput(over+back, over+back+500*time.Millisecond) < 0.95*400 {
					back += 100 * time.Millisecond
				}
				t.Logf("full goodput after %v; before %.0f/s, meanwhile %.0f/s with %d requests upstream and a limit of %d, after %.0f/s", back,
					w.goodput(begin-time.Second, begin), w.goodput(begin, over), meanwhile, limit, w.goodput(over+2*time.Second, over+10*time.Second))
				w.end()
				require.LessOrEqual(t, back, 2*time.Second)
				require.Greater(t, w.goodput(over+2*time.Second, over+10*time.Second), 0.93*400)
			})
		})
	}
}
