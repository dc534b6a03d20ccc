package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// load is an open-loop load: requests come at their time, whether earlier ones
// were answered or not, in ten steps from 100 to 1000 per second.
type load struct {
	step     time.Duration
	deadline time.Duration // how long a caller waits
}

const steps = 10

// arrivals gives the offsets at which the requests come, and the step of each.
func (l load) arrivals() (at []time.Duration, step []int) {
	for s := range steps {
		gap := time.Second / time.Duration(100*(s+1))
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
	step    int
	prompt  string
	arrived time.Duration // since the load began
	took    time.Duration
	answer  answer
	cached  bool
}

// offer sends the load: do is called for each request in a goroutine of its
// own, with the caller's deadline. progress is told how far it is.
func (l load) offer(ctx context.Context, prompt func(i int) string, do func(ctx context.Context, c *call), progress func(done float64)) []*call {
	at, step := l.arrivals()
	calls := make([]*call, len(at))
	var pending sync.WaitGroup
	begin := time.Now()
	for i := range at {
		select {
		case <-time.After(time.Until(begin.Add(at[i]))):
		case <-ctx.Done():
			return nil
		}
		c := &call{step: step[i], prompt: prompt(i), arrived: time.Since(begin)}
		calls[i] = c
		pending.Go(func() {
			start := time.Now()
			ctx, cancel := context.WithDeadline(ctx, start.Add(l.deadline))
			defer cancel()
			do(ctx, c)
			if c.took = time.Since(start); c.took > l.deadline {
				c.answer = failed // nobody is there any more
			}
		})
		progress(float64(i+1) / float64(len(at)))
	}
	pending.Wait()
	return calls
}

// distinct makes every prompt another one.
func distinct(i int) string { return fmt.Sprintf("Question number %d?", i) }

// zipf draws from 200 prompts, the popular ones often, as users do (exponent 1.1).
func zipf() func(int) string {
	z := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 1, 199)
	return func(int) string { return fmt.Sprintf("Popular question number %d?", z.Uint64()) }
}
