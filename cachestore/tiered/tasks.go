package tiered

import (
	"context"
	"sync"
)

// tasks are the goroutines of a store: operations on tiers, which can be left behind by a timeout, and recoveries.
type tasks struct {
	ctx    context.Context // of recoveries; ends with stop
	cancel context.CancelFunc

	mu      sync.Mutex
	stopped bool
	running int
	idle    chan struct{} // closed when stopped and none runs
}

func newTasks() *tasks {
	t := &tasks{idle: make(chan struct{})}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

// run starts a goroutine, unless it is too late for one.
func (t *tasks) run(do func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return false
	}
	t.running++
	go func() {
		defer t.ended()
		do()
	}()
	return true
}

func (t *tasks) ended() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running--; t.running == 0 && t.stopped {
		close(t.idle)
	}
}

// stop lets no further ones start and waits for those that run until ctx ends.
func (t *tasks) stop(ctx context.Context) error {
	t.mu.Lock()
	if !t.stopped {
		t.stopped = true
		if t.running == 0 {
			close(t.idle)
		}
	}
	t.mu.Unlock()
	t.cancel()
	select {
	case <-t.idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t *tasks) over() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stopped
}
