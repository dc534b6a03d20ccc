package semaphore_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/semaphore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// config allows one request at a time and lets n wait.
func config(change func(*semaphore.Config)) semaphore.Config {
	cfg := semaphore.DefaultConfig()
	cfg.Limit, cfg.MaxConcurrent, cfg.MaxWait, cfg.Reserve = semaphore.LimitFixed, 1, time.Hour, time.Nanosecond
	if change != nil {
		change(&cfg)
	}
	return cfg
}

func newStage(t *testing.T, cfg semaphore.Config, opts ...semaphore.Option) *semaphore.Semaphore {
	t.Helper()
	s, err := semaphore.New(cfg, opts...)
	require.NoError(t, err)
	return s
}

// upstream answers after d and notes the paths in the order in which they arrive.
type upstream struct {
	d  time.Duration
	mu sync.Mutex
	in []string
}

func (u *upstream) RoundTrip(req *http.Request) (*http.Response, error) {
	u.mu.Lock()
	u.in = append(u.in, strings.TrimPrefix(req.URL.Path, "/"))
	u.mu.Unlock()
	select {
	case <-req.Context().Done():
		return nil, req.Context().Err()
	case <-time.After(u.d):
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("ok")), Request: req}, nil
}

func get(ctx context.Context, rt http.RoundTripper, url string) error {
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return err
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

func inUse(s *semaphore.Semaphore) (inUse, waiting int) {
	for _, k := range s.Stats() {
		inUse, waiting = inUse+k.InUse, waiting+k.Waiting
	}
	return inUse, waiting
}

// Requirement 3.
func TestPermitEndsWithTheBodyOrTheHeaders(t *testing.T) {
	for release, waits := range map[string]bool{semaphore.ReleaseBody: true, semaphore.ReleaseHeaders: false} {
		t.Run(release, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := newStage(t, config(func(c *semaphore.Config) { c.Release = release })).Wrap(&upstream{})
				req, _ := http.NewRequest("GET", "http://a/1", nil)
				resp, err := rt.RoundTrip(req)
				require.NoError(t, err)

				second := make(chan error, 1)
				go func() { second <- get(t.Context(), rt, "http://a/2") }()
				synctest.Wait()
				select {
				case err := <-second:
					require.NoError(t, err)
					require.False(t, waits, "the second call did not wait for the unread body")
				default:
					require.True(t, waits, "the second call waits though the headers are there")
				}
				require.NoError(t, resp.Body.Close())
				require.NoError(t, resp.Body.Close(), "a second Close releases nothing")
				if waits {
					require.NoError(t, <-second)
				}
				third := make(chan error, 2)
				go func() { third <- get(t.Context(), rt, "http://a/3") }()
				require.NoError(t, <-third)
			})
		})
	}
}

// Requirement 4.
func TestAbandonedBodyGivesItsPermitBackWhenTheContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, config(nil))
		rt := s.Wrap(&upstream{})
		ctx, cancel := context.WithCancel(t.Context())
		req, _ := http.NewRequestWithContext(ctx, "GET", "http://a/", nil)
		_, err := rt.RoundTrip(req)
		require.NoError(t, err)
		n, _ := inUse(s)
		require.Equal(t, 1, n)
		cancel()
		synctest.Wait()
		n, _ = inUse(s)
		require.Zero(t, n)
	})
}

// Requirement 5.
func TestPanicBelowGivesThePermitBack(t *testing.T) {
	for _, release := range []string{semaphore.ReleaseBody, semaphore.ReleaseHeaders} {
		s := newStage(t, config(func(c *semaphore.Config) { c.Release = release }))
		rt := s.Wrap(middleware.RoundTripperFunc(func(*http.Request) (*http.Response, error) { panic("boom") }))
		for range 3 {
			require.PanicsWithValue(t, "boom", func() { _ = get(t.Context(), rt, "http://a/") })
		}
		n, _ := inUse(s)
		require.Zero(t, n, release)
	}
}

// Requirement 32.
func TestEarliestDeadlineIsServedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{d: time.Second}
		rt := newStage(t, config(nil)).Wrap(up)
		var calls sync.WaitGroup
		for _, c := range []struct {
			name     string
			deadline time.Duration
		}{{"first", 0}, {"none", 0}, {"late", 9 * time.Second}, {"soon", 3 * time.Second}, {"middle", 5 * time.Second}} {
			ctx := t.Context()
			if c.deadline > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, c.deadline)
				defer cancel()
			}
			calls.Go(func() { _ = get(ctx, rt, "http://a/"+c.name) })
			synctest.Wait()
		}
		calls.Wait()
		require.Equal(t, []string{"first", "soon", "middle", "late", "none"}, up.in)
	})
}

// Requirement 32: no permit is spent on what comes too late.
func TestWhoCannotBeServedInTimeIsTurnedAwayAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{d: time.Second}
		s := newStage(t, config(func(c *semaphore.Config) { c.Reserve = time.Second }))
		rt := s.Wrap(up)
		var calls sync.WaitGroup
		calls.Go(func() { require.NoError(t, get(t.Context(), rt, "http://a/first")) })
		synctest.Wait()

		// Has 500 ms left where the upstream needs a second: refused on arrival.
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		start := time.Now()
		err := get(ctx, rt, "http://a/hopeless")
		require.ErrorIs(t, err, semaphore.ErrTooLate)
		require.ErrorIs(t, err, middleware.ErrRejected)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Zero(t, time.Since(start))

		// Has 1.9 s: it would get its permit after 1 s with 0.9 s left, so it leaves when it is sure.
		ctx, cancel = context.WithTimeout(t.Context(), 1900*time.Millisecond)
		defer cancel()
		err = get(ctx, rt, "http://a/late")
		require.ErrorIs(t, err, semaphore.ErrTooLate)
		require.Equal(t, 900*time.Millisecond, time.Since(start))

		calls.Wait()
		require.Equal(t, []string{"first"}, up.in)
		n, waiting := inUse(s)
		require.Zero(t, n+waiting)
	})
}

// Requirement 32: the reserve is the p95 of the time that permits are held.
func TestReserveIsLearned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, config(func(c *semaphore.Config) { c.Reserve = 0 }))
		rt := s.Wrap(&upstream{d: 300 * time.Millisecond})
		for range 16 {
			require.NoError(t, get(t.Context(), rt, "http://a/"))
		}
		require.Equal(t, 300*time.Millisecond, s.Stats()[0].Reserve)
	})
}

// Requirement 9.
func TestNobodyWaitsLongerThanMaxWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []middleware.Event
		s := newStage(t, config(func(c *semaphore.Config) { c.MaxWait = 2 * time.Second }),
			semaphore.WithReporter(middleware.Reporter{Observer: middleware.ObserverFunc(func(_ context.Context, e middleware.Event) { events = append(events, e) })}))
		rt := s.Wrap(&upstream{d: time.Minute})
		var first sync.WaitGroup
		first.Go(func() { _ = get(t.Context(), rt, "http://a/") })
		synctest.Wait()
		start := time.Now()
		err := get(t.Context(), rt, "http://a/")
		require.Equal(t, 2*time.Second, time.Since(start))
		require.ErrorIs(t, err, semaphore.ErrTooLate)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		var rejected *middleware.RejectedError
		require.ErrorAs(t, err, &rejected)
		require.Equal(t, "semaphore", rejected.Stage)
		require.Equal(t, "a", rejected.Key)
		require.Len(t, events, 1)
		require.Equal(t, semaphore.EventRejected, events[0].Kind)
		require.Equal(t, 2*time.Second, events[0].Wait)
		first.Wait()
	})
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, config(func(c *semaphore.Config) { c.Queue = 2 }))
		rt := s.Wrap(&upstream{d: time.Second})
		var calls sync.WaitGroup
		for range 3 {
			calls.Go(func() { require.NoError(t, get(t.Context(), rt, "http://a/")) })
		}
		synctest.Wait()
		body := &closeable{Reader: strings.NewReader("x")}
		req, _ := http.NewRequest("POST", "http://a/", body)
		_, err := rt.RoundTrip(req)
		require.ErrorIs(t, err, semaphore.ErrQueueFull)
		require.True(t, body.closed, "requirement 6: the body is closed on rejection")
		calls.Wait()
	})
}

type closeable struct {
	io.Reader
	closed bool
}

func (c *closeable) Close() error { c.closed = true; return nil }

func TestWithoutAQueueNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := newStage(t, config(func(c *semaphore.Config) { c.Queue, c.MaxWait = 0, 0 })).Wrap(&upstream{d: time.Second})
		var first sync.WaitGroup
		first.Go(func() { require.NoError(t, get(t.Context(), rt, "http://a/")) })
		synctest.Wait()
		require.ErrorIs(t, get(t.Context(), rt, "http://a/"), semaphore.ErrQueueFull)
		first.Wait()
	})
}

func TestCallerCanLeaveTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, config(nil))
		rt := s.Wrap(&upstream{d: time.Second})
		var first sync.WaitGroup
		first.Go(func() { require.NoError(t, get(t.Context(), rt, "http://a/")) })
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		err := get(ctx, rt, "http://a/")
		require.ErrorIs(t, err, semaphore.ErrCanceled)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, middleware.ErrRejected)
		_, waiting := inUse(s)
		require.Zero(t, waiting)
		first.Wait()
	})
}

// Requirement 30.
func TestAuthoritiesDoNotHinderEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := newStage(t, config(nil)).Wrap(&upstream{d: time.Second})
		start := time.Now()
		var calls sync.WaitGroup
		for _, host := range []string{"a", "b", "c"} {
			calls.Go(func() { require.NoError(t, get(t.Context(), rt, "http://"+host+"/")) })
		}
		calls.Wait()
		require.Equal(t, time.Second, time.Since(start))
	})
}

func TestKeyCanBeShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := newStage(t, config(func(c *semaphore.Config) { c.Key = middleware.KeyShared })).Wrap(&upstream{d: time.Second})
		start := time.Now()
		var calls sync.WaitGroup
		for _, host := range []string{"a", "b", "c"} {
			calls.Go(func() { require.NoError(t, get(t.Context(), rt, "http://"+host+"/")) })
		}
		calls.Wait()
		require.Equal(t, 3*time.Second, time.Since(start))
	})
}

// Requirement 18.
func TestResizingInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, config(func(c *semaphore.Config) { c.MaxConcurrent = 4 }))
		rt := s.Wrap(&upstream{d: time.Second})
		start := time.Now()
		var calls sync.WaitGroup
		for range 8 {
			calls.Go(func() { require.NoError(t, get(t.Context(), rt, "http://a/")) })
		}
		synctest.Wait()
		require.NoError(t, s.Update(config(nil))) // down to 1, with 4 in use
		n, waiting := inUse(s)
		require.Equal(t, []int{4, 4}, []int{n, waiting})
		time.Sleep(1500 * time.Millisecond)
		n, waiting = inUse(s)
		require.Equal(t, []int{1, 3}, []int{n, waiting})
		require.NoError(t, s.Update(config(func(c *semaphore.Config) { c.MaxConcurrent = 3 })))
		n, waiting = inUse(s)
		require.Equal(t, []int{3, 1}, []int{n, waiting}, "those who wait go at once")
		require.Error(t, s.Update(semaphore.Config{MaxConcurrent: -1}))
		calls.Wait()
		require.Equal(t, 3*time.Second, time.Since(start))
		n, waiting = inUse(s)
		require.Zero(t, n+waiting)
	})
}

func TestConfiguration(t *testing.T) {
	require.NoError(t, semaphore.DefaultConfig().Validate())
	_, err := semaphore.New(semaphore.Config{})
	require.ErrorContains(t, err, "DefaultConfig")
	_, err = semaphore.New(semaphore.Config{MaxConcurrent: 0, Queue: -1, MaxWait: -1, Reserve: -1, Release: "x", Key: "y", MaxKeys: -2})
	for _, name := range []string{"max_concurrent", "queue", "max_wait", "reserve", "release", "key", "max_keys"} {
		require.ErrorContains(t, err, name+": ")
	}
}
