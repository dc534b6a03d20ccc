package transport

import (
	"context"
	"fmt"
	"time"
)

// drainInterval is how often Stop looks for connections that have become idle.
const drainInterval = 10 * time.Millisecond

// Stop refuses new requests, lets those in progress finish, and closes each
// connection as it becomes idle. When ctx ends first, the remaining connections
// are cut and the error says how many. Afterwards no connection and no
// goroutine of this package is left. It may be called again.
func (t *Transport) Stop(ctx context.Context) error {
	t.closed.Store(true)
	<-t.warming.close()
	<-t.keepers.close()
	err := t.drain(ctx)

	idle := t.tasks.close()
	t.conns.closeAll()
	_ = t.resolver.Close() // never fails
	<-idle                 // everything in progress has been cancelled
	return err
}

// Close stops the transport without waiting for requests in progress: their
// connections are cut. It never fails.
func (t *Transport) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = t.Stop(ctx) // its error only says that requests were cut, which was asked for
	return nil
}

// drain closes idle connections until none is left and no dial is in progress.
func (t *Transport) drain(ctx context.Context) error {
	tick := time.NewTicker(drainInterval)
	defer tick.Stop()
	for {
		t.CloseIdleConnections()
		open := t.conns.count()
		if open == 0 && t.tasks.count() == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("transport: %d connections were in use and have been cut: %w", open, ctx.Err())
		}
	}
}
