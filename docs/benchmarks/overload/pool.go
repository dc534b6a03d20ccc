package main

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// pool is how a synchronous application works: a fixed number of workers, and a
// queue in front of them in which requests wait their turn, wanted or not.
type pool struct {
	client  *http.Client
	url     string
	limit   time.Duration // of one request, once a worker has it
	jobs    chan job
	closing chan struct{}
	workers sync.WaitGroup
}

type job struct {
	prompt string
	done   chan answer // holds one: a worker does not wait for a caller that has left
}

func newPool(client *http.Client, url string, workers int, limit time.Duration) *pool {
	p := &pool{client: client, url: url, limit: limit, jobs: make(chan job, 100_000), closing: make(chan struct{})}
	for range workers {
		p.workers.Go(p.work)
	}
	return p
}

func (p *pool) work() {
	for {
		select {
		case <-p.closing:
			return
		case j := <-p.jobs:
			// A worker does not know whether its caller has left.
			ctx, cancel := context.WithTimeout(context.Background(), p.limit)
			j.done <- ask(ctx, p.client, p.url, j.prompt)
			cancel()
		}
	}
}

func (p *pool) do(ctx context.Context, c *call) answer {
	j := job{prompt: c.prompt, done: make(chan answer, 1)}
	select {
	case p.jobs <- j:
	case <-ctx.Done():
		return failed
	}
	select {
	case a := <-j.done:
		return a
	case <-ctx.Done():
		return failed
	}
}

// close ends the workers; who still waits in the queue is forgotten.
func (p *pool) close() {
	close(p.closing)
	p.workers.Wait()
}
