package tiered

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/middleware"
)

// tier is a store with a breaker in front of it.
type tier struct {
	name   string
	store  store.StoreInterface
	inline bool // in memory: it keeps values as they are, and cannot hang
	cfg    Config
	tasks  *tasks
	report middleware.Reporter

	mu         sync.Mutex
	reads      int // that failed, in a row
	lateSets   int // that took too long, in a row
	down       bool
	cause      error     // why it is down
	until      time.Time // when to try to get it back
	recovering bool
	abandoned  int // operations that ran out of time and have not returned
	owed       owed
	stats      TierStats
}

// get gives what the tier has; nil for nothing. told is false if the tier could not say. ended tells that it is the
// caller's.
func (t *tier) get(ctx context.Context, key string) (f frame, told bool, ended error) {
	if t.skipped() {
		return nil, false, nil
	}
	var value any
	err := t.within(ctx, func(ctx context.Context) error {
		v, err := t.store.Get(ctx, key)
		value = v
		return err
	})
	switch {
	case cachestore.IsMiss(err):
		t.counted(&t.reads, nil)
		return nil, true, nil
	case err != nil && ctx.Err() != nil:
		return nil, false, ctx.Err()
	case err != nil:
		t.counted(&t.reads, err)
		return nil, false, nil
	}
	t.counted(&t.reads, nil)
	if b, ok := value.([]byte); ok && frame(b).valid() {
		return b, true, nil
	}
	t.delete(ctx, key) // somebody else's value under our key
	return nil, true, nil
}

// set stores a value, or else deletes what the tier has under its key. A tier that refuses values at once, as a full disk
// does, is right in what it has, and stays in use.
func (t *tier) set(ctx context.Context, key string, f frame, left time.Duration) error {
	if cause := t.owes(func(o *owed) { o.key(key, t.cfg.MaxOwed) }); cause != nil {
		return cause
	}
	options := []store.Option{store.WithExpiration(left), store.WithTags(f.tags())}
	err := t.within(context.WithoutCancel(ctx), func(ctx context.Context) error { return t.store.Set(ctx, key, []byte(f), options...) })
	switch {
	case err == nil, errors.Is(err, context.DeadlineExceeded):
		t.counted(&t.lateSets, err)
	case !errors.Is(err, cachestore.ErrTooLarge):
		t.counted(new(int), err)
	}
	if err != nil {
		t.delete(ctx, key)
	}
	return err
}

// delete tells whether the key is gone. If not, the tier is down until it is.
func (t *tier) delete(ctx context.Context, key string) bool {
	owe := func(o *owed) { o.key(key, t.cfg.MaxOwed) }
	if t.owes(owe) != nil {
		return false
	}
	err := t.within(context.WithoutCancel(ctx), func(ctx context.Context) error { return t.store.Delete(ctx, key) })
	if err != nil {
		t.goDown(err, owe)
	}
	return err == nil
}

// long is an operation that has no timeout but the caller's; what is owed if it fails, owe notes. An error is that of a
// store that does not have the operation.
func (t *tier) long(ctx context.Context, owe func(*owed), do func(context.Context) error) error {
	if t.owes(owe) != nil {
		return nil
	}
	err := do(ctx)
	if errors.Is(err, store.ErrNotSupported) {
		return err
	}
	if err != nil {
		t.goDown(err, owe)
	}
	return nil
}

// skipped tells whether the tier is down, and tries to get it back when it is time.
func (t *tier) skipped() bool { return t.owes(func(*owed) {}) != nil }

// owes is nil for a tier that is up. Otherwise it notes what the tier misses, and says why it is down.
func (t *tier) owes(note func(*owed)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.down {
		return nil
	}
	note(&t.owed)
	t.stats.Skipped++
	t.recover()
	return t.cause
}

// counted ends a row of failures, or makes it longer and takes the tier down when it is long enough.
func (t *tier) counted(row *int, err error) {
	t.mu.Lock()
	if err == nil {
		*row = 0
		t.mu.Unlock()
		return
	}
	t.stats.Failures++
	*row++
	down := *row >= t.cfg.Failures && t.takeDown(err)
	t.mu.Unlock()
	t.tellDown(down, err)
}

// goDown takes the tier down at once: it did not do what it has to have done.
func (t *tier) goDown(err error, owe func(*owed)) {
	t.mu.Lock()
	t.stats.Failures++
	owe(&t.owed)
	down := t.takeDown(err)
	t.mu.Unlock()
	t.tellDown(down, err)
}

// takeDown is called with the lock held. False: it is down already.
func (t *tier) takeDown(err error) bool {
	if t.down {
		return false
	}
	t.down, t.cause, t.until = true, err, time.Now().Add(t.cfg.SkipFor)
	t.reads, t.lateSets = 0, 0
	return true
}

func (t *tier) tellDown(down bool, err error) {
	if down {
		t.report.Report(context.Background(), middleware.Event{
			Kind: EventTierDown, Level: slog.LevelWarn, Key: t.name, Wait: t.cfg.SkipFor, Err: err,
		})
	}
}
