package tiered

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/middleware"
)

// probe is a key that nobody stores: to read it tells whether the tier answers.
const probe = "headgate.probe"

// recover begins to get the tier back when it is time. The lock is held.
func (t *tier) recover() {
	if !t.recovering && t.abandoned == 0 && !time.Now().Before(t.until) {
		t.recovering = t.tasks.run(t.comeBack)
	}
}

// comeBack makes up for what the tier has missed and tries it. It is up again, or skipped for another while.
func (t *tier) comeBack() {
	err := t.makeUp(t.tasks.ctx)
	t.mu.Lock()
	t.recovering = false
	if err != nil {
		t.cause, t.until = err, time.Now().Add(t.cfg.SkipFor)
	}
	t.mu.Unlock()
	if err == nil {
		t.report.Report(context.Background(), middleware.Event{Kind: EventTierUp, Level: slog.LevelInfo, Key: t.name})
	}
}

// makeUp goes on until nothing is owed, also of what was missed meanwhile. Then the tier is up.
func (t *tier) makeUp(ctx context.Context) error {
	for {
		o := t.take()
		if o.nothing() {
			if err := t.try(ctx); err != nil {
				return err
			}
			if t.up() {
				return nil
			}
			continue
		}
		if err := t.pay(ctx, &o); err != nil {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.owed.join(o, t.cfg.MaxOwed)
			return err
		}
	}
}

func (t *tier) take() owed {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.owed
	t.owed = owed{}
	return o
}

// up ends the tier's being down, unless it has missed something more.
func (t *tier) up() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.owed.nothing() {
		return false
	}
	t.down, t.cause = false, nil
	return true
}

// pay does what is owed; what it did not get to stays in o.
func (t *tier) pay(ctx context.Context, o *owed) error {
	if o.all {
		if err := t.store.Clear(ctx); err != nil {
			return err
		}
		*o = owed{}
	}
	if len(o.tags) > 0 {
		if err := t.store.Invalidate(ctx, store.WithInvalidateTags(slices.Collect(maps.Keys(o.tags)))); err != nil {
			return err
		}
		o.tags = nil
	}
	for key := range o.keys {
		if err := t.timed(ctx, func(ctx context.Context) error { return t.store.Delete(ctx, key) }); err != nil {
			return err
		}
		delete(o.keys, key)
	}
	return nil
}

func (t *tier) try(ctx context.Context) error {
	err := t.timed(ctx, func(ctx context.Context) error {
		_, err := t.store.Get(ctx, probe)
		return err
	})
	if cachestore.IsMiss(err) {
		return nil
	}
	return err
}

// timed waits for what within would leave behind: nobody waits for the recovery.
func (t *tier) timed(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	return do(ctx)
}
