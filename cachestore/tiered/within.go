package tiered

import (
	"context"

	"github.com/headgate-go/headgate/cachestore"
)

// operation is one that can be left behind. The tier's lock guards it.
type operation struct{ returned, abandoned bool }

// within runs an operation on the tier for at most the timeout. Not every store heeds its context, and a disk can hang:
// one that does not return in time is left behind, and the tier does not come back before it has returned.
func (t *tier) within(ctx context.Context, do func(context.Context) error) error {
	if t.inline {
		return do(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	result := make(chan error, 1)
	var op operation
	if !t.tasks.run(func() {
		result <- do(ctx)
		t.returned(&op)
	}) {
		return cachestore.ErrStopped
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		t.abandon(&op)
		return ctx.Err()
	}
}

func (t *tier) returned(op *operation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if op.returned = true; op.abandoned {
		t.abandoned--
	}
}

func (t *tier) abandon(op *operation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !op.returned {
		op.abandoned = true
		t.abandoned++
	}
}
