package tiered_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/memory"
	"github.com/headgate-go/headgate/cachestore/tiered"
	"github.com/headgate-go/headgate/middleware"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a byte store that can fail and hang, and counts what it is asked.
type fake struct {
	*cachestore.Adapter // over memory: it copies

	mu       sync.Mutex
	fail     map[string]error // by operation; "" for all
	hang     chan struct{}    // operations wait for it, whatever their context says
	delay    time.Duration    // or for this, or their context
	calls    map[string]int
	lastTTL  time.Duration
	lastTags []string
}

func newFake(t testing.TB) *fake {
	t.Helper()
	m, err := memory.New(memory.DefaultConfig())
	require.NoError(t, err)
	a, err := cachestore.Adapt(m, cachestore.WithExclusive(), cachestore.WithTTLResolution(1))
	require.NoError(t, err)
	return &fake{Adapter: a, fail: map[string]error{}, calls: map[string]int{}}
}

func (f *fake) before(ctx context.Context, op string) error {
	f.mu.Lock()
	f.calls[op]++
	err, hang, delay := f.fail[op], f.hang, f.delay
	if err == nil {
		err = f.fail[""]
	}
	f.mu.Unlock()
	if hang != nil {
		<-hang
	}
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

func (f *fake) set(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

func (f *fake) failing(op string, err error) { f.set(func() { f.fail[op] = err }) }

func (f *fake) count(op string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[op]
}

func (f *fake) Get(ctx context.Context, key any) (any, error) {
	if err := f.before(ctx, "get"); err != nil {
		return nil, err
	}
	return f.Adapter.Get(ctx, key)
}

func (f *fake) Set(ctx context.Context, key any, value any, options ...store.Option) error {
	if err := f.before(ctx, "set"); err != nil {
		return err
	}
	o := store.ApplyOptions(options...)
	f.set(func() { f.lastTTL, f.lastTags = o.Expiration, o.Tags })
	return f.Adapter.Set(ctx, key, value, options...)
}

func (f *fake) Delete(ctx context.Context, key any) error {
	if err := f.before(ctx, "delete"); err != nil {
		return err
	}
	return f.Adapter.Delete(ctx, key)
}

func (f *fake) Invalidate(ctx context.Context, options ...store.InvalidateOption) error {
	if err := f.before(ctx, "invalidate"); err != nil {
		return err
	}
	return f.Adapter.Invalidate(ctx, options...)
}

func (f *fake) Clear(ctx context.Context) error {
	if err := f.before(ctx, "clear"); err != nil {
		return err
	}
	return f.Adapter.Clear(ctx)
}

// journal keeps the events.
type journal struct {
	mu     sync.Mutex
	events []middleware.Event
}

func (j *journal) Observe(_ context.Context, e middleware.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
}

func (j *journal) kinds() (all []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.events {
		all = append(all, e.Kind+" "+e.Key)
	}
	return all
}

// rig is a store over the tiers a (the fastest), b and c.
type rig struct {
	*tiered.Store
	a, b, c *fake
	journal *journal
}

// timeout is more than a busy machine takes for anything; in a bubble it costs nothing.
const timeout = time.Minute

func config(tiers ...string) tiered.Config {
	cfg := tiered.DefaultConfig()
	cfg.Tiers, cfg.Timeout = tiers, timeout
	return cfg
}

func newRig(t testing.TB) *rig { return newRigOf(t, config("a", "b", "c")) }

func newRigOf(t testing.TB, cfg tiered.Config) *rig {
	t.Helper()
	r := &rig{a: newFake(t), b: newFake(t), c: newFake(t), journal: &journal{}}
	s, err := tiered.New(cfg, map[string]store.StoreInterface{"a": r.a, "b": r.b, "c": r.c},
		tiered.WithReporter(middleware.Reporter{Observer: r.journal}))
	require.NoError(t, err)
	r.Store = s
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	return r
}

func (r *rig) requireValue(t testing.TB, want string) {
	t.Helper()
	got, err := r.Get(context.Background(), "key")
	require.NoError(t, err)
	require.Equal(t, want, string(got.([]byte)))
}

func (r *rig) requireMiss(t testing.TB) {
	t.Helper()
	_, err := r.Get(context.Background(), "key")
	require.ErrorIs(t, err, store.NotFound{})
}
