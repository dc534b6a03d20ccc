package loadtest

import (
	"context"
	"sync"
	"time"
)

// Load is an open load in steps.
type Load struct {
	Rates    []int         // requests per second in each step, all above 0
	Step     time.Duration // how long each step lasts
	Deadline time.Duration // how long a caller waits
}

// Duration is how long requests come.
func (l Load) Duration() time.Duration { return time.Duration(len(l.Rates)) * l.Step }

// Arrivals gives the times since the begin at which the requests come, in order,
// and the step of each, from 0 on.
func (l Load) Arrivals() (at []time.Duration, step []int) {
	for s, rate := range l.Rates {
		gap := time.Second / time.Duration(rate)
		for t := time.Duration(0); t < l.Step; t += gap {
			at = append(at, time.Duration(s)*l.Step+t)
			step = append(step, s)
		}
	}
	return at, step
}

// Answer is what a caller got.
type Answer int

// The answers. The zero value is Failed.
const (
	Failed   Answer = iota // nothing, or nothing of use
	Degraded               // something else, from a fallback for example
	Fresh                  // what it has asked for
)

// Call is one request of a load and what became of it.
type Call struct {
	Number  int           // from 0 on, in the order of arrival
	Step    int           // the load's step that it belongs to
	Due     time.Duration // when it was to be sent, since the load began
	Arrived time.Duration // when it was
	Took    time.Duration
	Answer  Answer
	Cached  bool // set by do, if it knows
}

// Offer sends the load: do is called for each request in a goroutine of its own, with
// the caller's deadline, and gives the answer. An answer that comes later than
// the deadline is none. It returns when all calls are done; with nil if ctx ends
// before all have been made. progress is told how much of the load was sent, up to 1.
func (l Load) Offer(ctx context.Context, do func(context.Context, *Call) Answer, progress func(sent float64)) []*Call {
	at, step := l.Arrivals()
	calls := make([]*Call, len(at))
	var pending sync.WaitGroup
	defer pending.Wait()
	begin := time.Now()
	for i := range at {
		select {
		case <-time.After(time.Until(begin.Add(at[i]))):
		case <-ctx.Done():
			return nil
		}
		c := &Call{Number: i, Step: step[i], Due: at[i], Arrived: time.Since(begin)}
		calls[i] = c
		pending.Go(func() {
			start := time.Now()
			ctx, cancel := context.WithDeadline(ctx, start.Add(l.Deadline))
			defer cancel()
			got := do(ctx, c)
			if c.Took = time.Since(start); c.Took <= l.Deadline { // later, nobody is there any more
				c.Answer = got
			}
		})
		progress(float64(i+1) / float64(len(at)))
	}
	return calls
}
