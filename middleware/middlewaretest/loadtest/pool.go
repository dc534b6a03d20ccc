package loadtest

import (
	"context"
	"sync"
	"time"
)

// Pool is how a synchronous application works, to compare with: a fixed number of
// workers, and a queue in front of them in which calls wait their turn, wanted or not.
type Pool struct {
	work    func(context.Context, *Call) Answer
	limit   time.Duration
	jobs    chan job
	closing chan struct{}
	workers sync.WaitGroup
}

type job struct {
	call Call
	done chan done // holds one: a worker does not wait for a caller that has left
}

type done struct {
	answer Answer
	cached bool
}

// queued is more than any experiment offers while the workers are busy.
const queued = 100_000

// NewPool starts workers that do the work of one call at a time, within limit each.
// A worker does not know whether its caller has left.
func NewPool(workers int, limit time.Duration, work func(context.Context, *Call) Answer) *Pool {
	p := &Pool{work: work, limit: limit, jobs: make(chan job, queued), closing: make(chan struct{})}
	for range workers {
		p.workers.Go(p.serve)
	}
	return p
}

func (p *Pool) serve() {
	for {
		select {
		case <-p.closing:
			return
		case j := <-p.jobs:
			ctx, cancel := context.WithTimeout(context.Background(), p.limit)
			j.done <- done{p.work(ctx, &j.call), j.call.Cached}
			cancel()
		}
	}
}

// Do queues a call and waits for its answer, up to its deadline.
func (p *Pool) Do(ctx context.Context, c *Call) Answer {
	j := job{call: *c, done: make(chan done, 1)} // a copy: the worker may have it longer than the caller
	select {
	case p.jobs <- j:
	case <-ctx.Done():
		return Failed
	}
	select {
	case d := <-j.done:
		c.Cached = d.cached
		return d.answer
	case <-ctx.Done():
		return Failed
	}
}

// Close ends the workers; who still waits in the queue is forgotten.
func (p *Pool) Close() {
	close(p.closing)
	p.workers.Wait()
}
