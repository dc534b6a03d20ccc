package storms

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/figures"
)

// Call is what became of one call.
type Call struct {
	Begin, End time.Duration // since the load began
	Status     int           // 0: an error
	OK         bool          // a 200 that was read to its end, in time
}

// Load sends calls through a client and keeps what became of them.
type Load struct {
	RT       http.RoundTripper
	Deadline time.Duration

	mu      sync.Mutex
	calls   []Call
	pending sync.WaitGroup
	origin  time.Time
}

// NewLoad makes a load that begins now.
func NewLoad(rt http.RoundTripper, deadline time.Duration) *Load {
	return &Load{RT: rt, Deadline: deadline, origin: time.Now()}
}

// Steady offers rate calls a second for d, evenly spaced, and returns without
// waiting for those that are under way.
func (l *Load) Steady(rate int, d time.Duration) {
	gap := time.Second / time.Duration(rate)
	for t := time.Duration(0); t < d; t += gap {
		l.Go()
		time.Sleep(gap)
	}
}

// Poisson offers calls at random times, rate a second on average.
func (l *Load) Poisson(random *rand.Rand, rate float64, d time.Duration) {
	end := time.Now().Add(d)
	for {
		time.Sleep(time.Duration(random.ExpFloat64() / rate * float64(time.Second)))
		if !time.Now().Before(end) {
			return
		}
		l.Go()
	}
}

// Go makes one call in a goroutine of its own.
func (l *Load) Go() { l.pending.Go(func() { l.Do() }) }

// Do makes one call.
func (l *Load) Do() Call {
	begin := time.Now()
	ctx, cancel := context.WithDeadline(context.Background(), begin.Add(l.Deadline))
	defer cancel()
	c := Call{Begin: begin.Sub(l.origin)}
	c.Status, c.OK = get(ctx, l.RT)
	c.End = time.Since(l.origin)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, c)
	return c
}

func get(ctx context.Context, rt http.RoundTripper) (status int, ok bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://api.example.com/v1", nil)
	if err != nil {
		return 0, false
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return 0, false
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err == nil && resp.StatusCode == http.StatusOK
}

// Wait waits for all calls and returns what became of them.
func (l *Load) Wait() Calls {
	l.pending.Wait()
	return l.calls
}

// Calls are the calls of a load.
type Calls []Call

// OK is the number of those that went well.
func (c Calls) OK() (n int) {
	for _, k := range c {
		if k.OK {
			n++
		}
	}
	return n
}

// Begun gives the calls that began in [from, to).
func (c Calls) Begun(from, to time.Duration) (part Calls) {
	for _, k := range c {
		if k.Begin >= from && k.Begin < to {
			part = append(part, k)
		}
	}
	return part
}

// Goodput is the good answers per second in [from, to).
func (c Calls) Goodput(from, to time.Duration) float64 {
	n := 0
	for _, k := range c {
		if k.OK && k.End >= from && k.End < to {
			n++
		}
	}
	return float64(n) / (to - from).Seconds()
}

// Took gives how long the good answers took, in milliseconds, at the quantiles.
func (c Calls) Took(quantiles ...float64) []float64 {
	var took []time.Duration
	for _, k := range c {
		if k.OK {
			took = append(took, k.End-k.Begin)
		}
	}
	return figures.Quantiles(took, quantiles...)
}

// Recovered is how long after the time at it took until of the calls that began in
// half a second at least the share want went well, and did so for two seconds; the
// resolution is 100 ms. It is false if that did not come about within the calls.
func (c Calls) Recovered(at time.Duration, want float64) (time.Duration, bool) {
	const window, stays, step = 500 * time.Millisecond, 2 * time.Second, 100 * time.Millisecond
	var end time.Duration
	for _, k := range c {
		end = max(end, k.Begin)
	}
	healthy := func(from time.Duration) bool {
		for w := from; w < from+stays; w += window {
			part := c.Begun(w, w+window)
			if len(part) == 0 || float64(part.OK()) < want*float64(len(part)) {
				return false
			}
		}
		return true
	}
	for from := at; from+stays <= end; from += step {
		if healthy(from) {
			return from - at, true
		}
	}
	return 0, false
}
