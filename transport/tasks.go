package transport

import (
	"context"
	"sync"
)

// tasks counts work in progress, so that stopping can cancel it and wait for it.
// It is a WaitGroup that refuses new work once closed and can be waited for
// without a goroutine.
type tasks struct {
	ctx    context.Context // ends when close is called
	cancel context.CancelFunc

	mu      sync.Mutex
	running int
	closed  bool
	idle    chan struct{} // closed when closed and nothing runs
}

func newTasks() *tasks {
	ctx, cancel := context.WithCancel(context.Background())
	return &tasks{ctx: ctx, cancel: cancel, idle: make(chan struct{})}
}

// enter counts one piece of work and reports whether it may begin; leave must
// follow if it may.
func (t *tasks) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.running++
	return true
}

func (t *tasks) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running--
	t.settleLocked()
}

// run does f in a goroutine of its own and reports whether it may.
func (t *tasks) run(f func()) bool {
	if !t.enter() {
		return false
	}
	go func() {
		defer t.leave()
		f()
	}()
	return true
}

// bind returns a context that ends with ctx and also when close is called.
func (t *tasks) bind(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	unbind := context.AfterFunc(t.ctx, cancel)
	return ctx, func() { unbind(); cancel() }
}

// count returns how much work is in progress.
func (t *tasks) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running
}

// close refuses new work and cancels what is in progress. The channel that it
// returns is closed when the last piece has ended.
func (t *tasks) close() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.closed = true
		t.cancel()
		t.settleLocked()
	}
	return t.idle
}

func (t *tasks) settleLocked() {
	if t.closed && t.running == 0 {
		close(t.idle)
	}
}
