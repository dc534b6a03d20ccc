package pipeline

import (
	"context"
	"fmt"
	"sync"

	"github.com/headgate-go/headgate/middleware"
)

// instance is a built stage, whatever its Config.
type instance struct {
	id, typ     string
	wrap        middleware.Middleware
	start, stop func(context.Context) error
	update      func(cfg any)
	keeps       func(old, cfg any) bool
	report      func() any
	ready       func(context.Context) error
	attempts    func(cfg any) int
	stale       middleware.StaleSource
	purger      Purger

	life    sync.Mutex
	running bool
}

// begin starts the stage and tells whether it did; one that runs goes on.
func (i *instance) begin(ctx context.Context) (begun bool, err error) {
	i.life.Lock()
	defer i.life.Unlock()
	if i.running {
		return false, nil
	}
	if i.start != nil {
		if err := i.start(ctx); err != nil {
			return false, fmt.Errorf("start %s: %w", i.id, err)
		}
	}
	i.running = true
	return true, nil
}

// end stops the stage if it runs.
func (i *instance) end(ctx context.Context) error {
	i.life.Lock()
	defer i.life.Unlock()
	if !i.running {
		return nil
	}
	i.running = false
	if i.stop == nil {
		return nil
	}
	if err := i.stop(ctx); err != nil {
		return fmt.Errorf("stop %s: %w", i.id, err)
	}
	return nil
}

func (i *instance) isRunning() bool {
	i.life.Lock()
	defer i.life.Unlock()
	return i.running
}
