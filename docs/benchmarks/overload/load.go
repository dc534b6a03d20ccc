package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const steps = 10

// load is an open load: requests come at their time, whether earlier ones were
// answered or not.
type load struct {
	rates    [steps]int // requests per second in each step
	step     time.Duration
	deadline time.Duration // how long a caller waits
}

// arrivals gives the times at which the requests come, and the step of each.
func (l load) arrivals() (at []time.Duration, step []int) {
	for s, rate := range l.rates {
		gap := time.Second / time.Duration(rate)
		for t := time.Duration(0); t < l.step; t += gap {
			at = append(at, time.Duration(s)*l.step+t)
			step = append(step, s)
		}
	}
	return at, step
}

func (l load) duration() time.Duration { return steps * l.step }

// answer is what a caller got.
type answer int

const (
	failed answer = iota
	degraded
	fresh
)

// call is one request of the load and what became of it.
type call struct {
	prompt  string
	step    int
	arrived time.Duration // since the load began
	took    time.Duration
	answer  answer
}

// offer sends the load: do is called for each request in a goroutine of its own,
// with the caller's deadline. progress is told how far it is.
func (l load) offer(ctx context.Context, do func(context.Context, *call) answer, progress func(done float64)) []*call {
	at, step := l.arrivals()
	calls := make([]*call, len(at))
	var pending sync.WaitGroup
	defer pending.Wait()
	begin := time.Now()
	for i := range at {
		select {
		case <-time.After(time.Until(begin.Add(at[i]))):
		case <-ctx.Done():
			return nil
		}
		c := &call{prompt: fmt.Sprintf("Question number %d?", i), step: step[i], arrived: time.Since(begin)}
		calls[i] = c
		pending.Go(func() {
			start := time.Now()
			ctx, cancel := context.WithDeadline(ctx, start.Add(l.deadline))
			defer cancel()
			got := do(ctx, c)
			if c.took = time.Since(start); c.took <= l.deadline { // later, nobody is there any more
				c.answer = got
			}
		})
		progress(float64(i+1) / float64(len(at)))
	}
	return calls
}
