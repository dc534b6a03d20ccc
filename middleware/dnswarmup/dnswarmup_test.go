package dnswarmup_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/dnswarmup"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errRefused = errors.New("connection refused")

// fake is a warmer that takes its time, and fails for some hosts.
type fake struct {
	takes time.Duration
	fails map[string]error

	mu      sync.Mutex
	asked   []string
	conns   map[string]int
	now, at int // how many are warmed at once, and the most that were
}

func (f *fake) Warm(ctx context.Context, host string, connections int) error {
	f.mu.Lock()
	f.asked = append(f.asked, host)
	if f.conns == nil {
		f.conns = make(map[string]int)
	}
	f.conns[host] = connections
	f.now++
	f.at = max(f.at, f.now)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.now--
		f.mu.Unlock()
	}()
	select {
	case <-time.After(f.takes):
		return f.failure(host)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *fake) failure(host string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fails[host]
}

func (f *fake) hosts() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(slices.Values(f.asked))
}

type events struct {
	mu  sync.Mutex
	all map[string]middleware.Event // by host
}

func (e *events) Observe(_ context.Context, event middleware.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.all == nil {
		e.all = make(map[string]middleware.Event)
	}
	e.all[event.Key] = event
}

func config(hosts ...string) dnswarmup.Config {
	cfg := dnswarmup.DefaultConfig()
	cfg.Hosts = hosts
	return cfg
}

func newStage(t testing.TB, cfg dnswarmup.Config, f *fake) (*dnswarmup.Warmup, *events) {
	t.Helper()
	var seen events
	w, err := dnswarmup.New(cfg, dnswarmup.WithWarmer(f), dnswarmup.WithReporter(middleware.Reporter{Observer: &seen}))
	require.NoError(t, err)
	return w, &seen
}

func TestStartWarmsAllHostsInParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{takes: time.Second}
		w, seen := newStage(t, config("a.example.com", "http://b.example.com", "c.example.com:8443"), f)
		require.ErrorIs(t, w.Ready(t.Context()), dnswarmup.ErrNotStarted)
		start := time.Now()
		require.NoError(t, w.Start(t.Context()))
		require.Equal(t, time.Second, time.Since(start))
		require.NoError(t, w.Ready(t.Context()))
		require.Equal(t, map[string]int{"a.example.com": 2, "http://b.example.com": 2, "c.example.com:8443": 2}, f.conns)

		e := seen.all["a.example.com"]
		require.Equal(t, dnswarmup.EventWarmed, e.Kind)
		require.Equal(t, "dns_warmup", e.Stage)
		require.Equal(t, slog.LevelInfo, e.Level)
		require.Equal(t, time.Second, e.Wait)
		require.Equal(t, []slog.Attr{slog.Int("connections", 2)}, e.Attrs)
		require.Equal(t, []dnswarmup.HostStats{
			{Host: "a.example.com", Warm: true, Took: time.Second},
			{Host: "http://b.example.com", Warm: true, Took: time.Second},
			{Host: "c.example.com:8443", Warm: true, Took: time.Second},
		}, w.Stats())
		require.NoError(t, w.Stop(t.Context()))
		require.ErrorIs(t, w.Ready(t.Context()), dnswarmup.ErrNotStarted)
	})
}

func TestParallelBoundsTheHostsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{takes: time.Second}
		cfg := config("a", "b", "c", "d", "e")
		cfg.Parallel = 2
		w, _ := newStage(t, cfg, f)
		start := time.Now()
		require.NoError(t, w.Start(t.Context()))
		require.Equal(t, 3*time.Second, time.Since(start))
		require.Equal(t, 2, f.at)
		require.NoError(t, w.Stop(t.Context()))
	})
}

func TestTimeoutBoundsAllHostsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{takes: 3 * time.Second}
		cfg := config("first", "second", "third")
		cfg.Parallel = 1
		w, seen := newStage(t, cfg, f)
		start := time.Now()
		require.NoError(t, w.Start(t.Context()))
		require.Equal(t, 5*time.Second, time.Since(start))
		require.Equal(t, []string{"first", "second"}, f.hosts(), "for the third there was no time")
		require.Equal(t, dnswarmup.EventWarmed, seen.all["first"].Kind)
		for _, host := range []string{"second", "third"} {
			require.Equal(t, dnswarmup.EventFailed, seen.all[host].Kind)
			require.ErrorIs(t, seen.all[host].Err, context.DeadlineExceeded)
		}
		require.NoError(t, w.Stop(t.Context()))
	})
}

func TestAFailureDoesNotStopTheApplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, seen := newStage(t, config("good", "bad"), &fake{takes: time.Second, fails: map[string]error{"bad": errRefused}})
		require.NoError(t, w.Start(t.Context()))
		require.NoError(t, w.Ready(t.Context()))
		e := seen.all["bad"]
		require.Equal(t, dnswarmup.EventFailed, e.Kind)
		require.Equal(t, slog.LevelWarn, e.Level)
		require.ErrorIs(t, e.Err, errRefused)
		require.Equal(t, dnswarmup.HostStats{Host: "bad", Took: time.Second, Error: "dns_warmup: bad: connection refused"}, w.Stats()[1])
		require.NoError(t, w.Stop(t.Context()))
	})
}

func TestRequiredReturnsAllErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{fails: map[string]error{"bad": errRefused, "worse": context.DeadlineExceeded}}
		cfg := config("bad", "good", "worse")
		cfg.Required = true
		w, _ := newStage(t, cfg, f)
		err := w.Start(t.Context())
		require.EqualError(t, err, "dns_warmup: bad: connection refused\ndns_warmup: worse: context deadline exceeded")
		require.ErrorIs(t, err, dnswarmup.ErrWarmUp)
		require.ErrorIs(t, err, errRefused)
		var one *dnswarmup.Error
		require.ErrorAs(t, err, &one)
		require.Equal(t, dnswarmup.Error{Stage: "dns_warmup", Host: "bad", Err: errRefused}, *one)
		require.False(t, one.Timeout())
		require.True(t, (&dnswarmup.Error{Err: context.DeadlineExceeded}).Timeout())
		require.Equal(t, err, w.Ready(t.Context()))

		f.fails = nil
		require.NoError(t, w.Start(t.Context()), "it may be tried again")
		require.NoError(t, w.Ready(t.Context()))
		require.NoError(t, w.Stop(t.Context()))
	})
}

func TestStartTwice(t *testing.T) {
	w, _ := newStage(t, config("a"), &fake{})
	require.NoError(t, w.Start(t.Context()))
	require.ErrorIs(t, w.Start(t.Context()), dnswarmup.ErrStarted)
	require.NoError(t, w.Stop(t.Context()))
	require.NoError(t, w.Stop(t.Context()), "as often as one likes")
	require.NoError(t, w.Start(t.Context()), "and again after Stop")
	require.NoError(t, w.Stop(t.Context()))
}

func TestStopEndsAStartThatGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := config("a")
		cfg.Required = true
		w, _ := newStage(t, cfg, &fake{takes: time.Hour})
		started := make(chan error, 1)
		go func() { started <- w.Start(t.Context()) }()
		synctest.Wait()

		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, w.Ready(hurried), context.DeadlineExceeded, "Ready waits for Start, as long as its caller wants")

		start := time.Now()
		require.NoError(t, w.Stop(t.Context()))
		require.Zero(t, time.Since(start))
		require.ErrorIs(t, <-started, context.Canceled)
	})
}

// stubborn does not look at its context.
type stubborn struct{ fake }

func (s *stubborn) Warm(_ context.Context, host string, n int) error {
	return s.fake.Warm(context.Background(), host, n)
}

func TestStopWaitsNoLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := dnswarmup.New(config("a"), dnswarmup.WithWarmer(&stubborn{fake{takes: time.Minute}}))
		require.NoError(t, err)
		go func() { _ = w.Start(t.Context()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, w.Stop(ctx), context.DeadlineExceeded)
		time.Sleep(time.Minute) // it ends some time
	})
}

func TestUpdateWarmsWhatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{takes: time.Second}
		w, seen := newStage(t, config("old", "gone"), f)
		require.NoError(t, w.Update(config("old", "gone")), "before Start there is nothing to warm")
		require.Empty(t, f.hosts())
		require.NoError(t, w.Start(t.Context()))

		require.Error(t, w.Update(config("not a host")))
		require.Equal(t, "gone", w.Stats()[1].Host, "an invalid configuration changes nothing")

		f.fails = map[string]error{"new": errRefused}
		cfg := config("old", "new")
		cfg.Required = true
		start := time.Now()
		require.NoError(t, w.Update(cfg))
		require.Zero(t, time.Since(start), "it goes on in the background")
		require.NoError(t, w.Ready(t.Context()))
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []string{"gone", "new", "old"}, f.hosts(), "what is warm is not warmed again")
		require.Equal(t, dnswarmup.EventFailed, seen.all["new"].Kind)
		require.Equal(t, []dnswarmup.HostStats{
			{Host: "old", Warm: true, Took: time.Second},
			{Host: "new", Took: time.Second, Error: "dns_warmup: new: connection refused"},
		}, w.Stats())

		f.fails = nil
		cfg.Connections = 4
		require.NoError(t, w.Update(cfg))
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []string{"gone", "new", "new", "old", "old"}, f.hosts(), "more connections: all again")
		require.Equal(t, 4, f.conns["old"])

		f.takes = time.Hour
		require.NoError(t, w.Update(config("newer")))
		start = time.Now()
		require.NoError(t, w.Stop(t.Context()))
		require.Zero(t, time.Since(start), "Stop ends it and waits for it")
		require.Zero(t, f.now)

		require.NoError(t, w.Update(config("newest")))
		require.NotContains(t, f.hosts(), "newest", "after Stop there is nothing to warm")
	})
}

// A required Start that fails leaves nothing running, though Update began something meanwhile.
func TestAFailedStartLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{takes: time.Second, fails: map[string]error{"bad": errRefused}}
		cfg := config("bad")
		cfg.Required = true
		w, _ := newStage(t, cfg, f)
		started := make(chan error, 1)
		go func() { started <- w.Start(t.Context()) }()
		time.Sleep(time.Second / 2)
		require.NoError(t, w.Update(config("bad", "new")))
		require.ErrorIs(t, <-started, errRefused)
		f.mu.Lock()
		defer f.mu.Unlock()
		require.Zero(t, f.now)
		require.Len(t, f.asked, 2)
	})
}

func TestNoHostsIsNothingToDo(t *testing.T) {
	f := &fake{}
	w, _ := newStage(t, dnswarmup.DefaultConfig(), f)
	require.NoError(t, w.Start(t.Context()))
	require.NoError(t, w.Ready(t.Context()))
	require.NoError(t, w.Stop(t.Context()))
	require.Empty(t, f.hosts())
	require.Empty(t, w.Stats())
}

func TestWrapIsTheNextRoundTripper(t *testing.T) {
	w, _ := newStage(t, dnswarmup.DefaultConfig(), &fake{})
	require.Same(t, http.DefaultTransport, w.Wrap(http.DefaultTransport))
}

func TestConcurrentUse(t *testing.T) {
	w, _ := newStage(t, config("a"), &fake{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 50 {
				switch i % 5 {
				case 0:
					_ = w.Start(t.Context())
				case 1:
					_ = w.Update(config("a", "b"))
				case 2:
					_ = w.Stats()
				case 3:
					_ = w.Update(config("c"))
				case 4:
					_ = w.Stop(t.Context())
				}
			}
		})
	}
	all.Wait()
	require.NoError(t, w.Stop(t.Context()))
	require.Len(t, w.Stats(), 1)
}
