package dnswarmup_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/dnswarmup"
	"github.com/headgate-go/headgate/transport"
)

var answers = middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Body: http.NoBody, Request: req}, nil
})

func (f *fake) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = nil
}

func (f *fake) fail(host string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails = map[string]error{host: err}
}

// history keeps all events of a host.
type history struct {
	mu    sync.Mutex
	kinds []string
}

func (h *history) Observe(_ context.Context, e middleware.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kinds = append(h.kinds, e.Kind)
}

func TestHostsAreKeptWarmUntilStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		w, _ := newStage(t, config("a", "b"), f)
		require.NoError(t, w.Start(t.Context()))
		f.reset()
		time.Sleep(15*time.Second - 1)
		require.Empty(t, f.hosts())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(t, []string{"a", "b"}, f.hosts())
		time.Sleep(15 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"a", "a", "b", "b"}, f.hosts())
		require.NoError(t, w.Stop(t.Context()))
		f.reset()
		time.Sleep(time.Hour)
		require.Empty(t, f.hosts())
	})
}

func TestWithoutKeepEveryOnlyTheStartWarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		cfg := config("a")
		cfg.KeepEvery = 0
		w, _ := newStage(t, cfg, f)
		require.NoError(t, w.Start(t.Context()))
		time.Sleep(time.Hour)
		require.Equal(t, []string{"a"}, f.hosts())

		cfg.KeepEvery = time.Minute
		require.NoError(t, w.Update(cfg), "it can be changed in use")
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []string{"a", "a"}, f.hosts())
		require.NoError(t, w.Stop(t.Context()))
	})
}

func TestKeepingWarmTellsOnlyWhatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, seen := &fake{}, new(history)
		w, err := dnswarmup.New(config("a"), dnswarmup.WithWarmer(f), dnswarmup.WithReporter(middleware.Reporter{Observer: seen}))
		require.NoError(t, err)
		require.NoError(t, w.Start(t.Context()))
		time.Sleep(time.Minute)
		synctest.Wait()
		f.fail("a", errors.New("refused"))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.False(t, w.Stats()[0].Warm)
		require.NoError(t, w.Ready(t.Context()), "what happens later does not take readiness back")
		f.fail("", nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.True(t, w.Stats()[0].Warm)
		require.NoError(t, w.Stop(t.Context()))
		require.Equal(t, []string{"warmed", "failed", "warmed"}, seen.kinds)
	})
}

func learning() dnswarmup.Config {
	cfg := dnswarmup.DefaultConfig()
	cfg.Learn = true
	return cfg
}

func request(t *testing.T, rt http.RoundTripper, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

func TestHostsOfRequestsAreLearnedAndForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		cfg := learning()
		cfg.Hosts = []string{"configured.example.com"}
		w, _ := newStage(t, cfg, f)
		rt := w.Wrap(answers)
		require.NoError(t, w.Start(t.Context()))
		f.reset()
		request(t, rt, "https://configured.example.com:443/v1")
		synctest.Wait()
		require.Equal(t, []string{"configured.example.com"}, f.hosts(), "known already")
		f.reset()
		request(t, rt, "http://new.example.com:8080/v1?key=secret")
		synctest.Wait()
		require.Equal(t, []string{"configured.example.com", "http://new.example.com:8080"}, f.hosts(), "at once, and each once")
		stats := w.Stats()
		require.Len(t, stats, 2)
		require.Equal(t, dnswarmup.HostStats{Host: "http://new.example.com:8080", Learned: true, Warm: true}, stats[1])

		for range 10 { // in use, it stays
			time.Sleep(5 * time.Minute)
			request(t, rt, "http://new.example.com:8080/")
		}
		require.Len(t, w.Stats(), 2)
		time.Sleep(11 * time.Minute)
		f.reset()
		time.Sleep(time.Minute)
		require.NotContains(t, f.hosts(), "http://new.example.com:8080")
		require.Len(t, w.Stats(), 1)
		require.NoError(t, w.Stop(t.Context()))
	})
}

func TestLearnedHostsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		cfg := learning()
		cfg.MaxLearned = 3
		w, _ := newStage(t, cfg, f)
		rt := w.Wrap(answers)
		require.NoError(t, w.Start(t.Context()))
		for i := range 10 {
			request(t, rt, fmt.Sprintf("https://%d.example.com", i))
		}
		synctest.Wait()
		require.Len(t, w.Stats(), 3)
		require.NoError(t, w.Stop(t.Context()))
	})
}

func TestWhatCantBeWarmedIsNotLearned(t *testing.T) {
	w, _ := newStage(t, learning(), &fake{})
	rt := w.Wrap(answers)
	for _, url := range []string{"ftp://a.example.com", "https://", "https://two words"} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		req.URL.Scheme, req.URL.Host, _ = strings.Cut(url, "://")
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	require.Empty(t, w.Stats())
}

func TestWithoutLearningTheStageIsNotInTheWay(t *testing.T) {
	w, _ := newStage(t, config("a"), &fake{})
	up := &http.Transport{}
	require.Same(t, up, w.Wrap(up))
}

func TestAnOptionalStageDoesNothingOverABaseThatCannotWarm(t *testing.T) {
	cfg := learning()
	cfg.Hosts, cfg.Optional, cfg.Required = []string{"a"}, true, true
	w, err := dnswarmup.New(cfg)
	require.NoError(t, err)
	up := &http.Transport{}
	require.Same(t, up, w.Wrap(up))
	require.NoError(t, w.Start(t.Context()))
	require.NoError(t, w.Ready(t.Context()))
	require.False(t, w.Stats()[0].Warm)
	cfg.Optional = false
	require.ErrorIs(t, w.Update(cfg), dnswarmup.ErrNoWarmer)
	require.NoError(t, w.Stop(t.Context()))
}

func TestLearningNeedsKeeping(t *testing.T) {
	cfg := learning()
	cfg.KeepEvery = 0
	require.ErrorContains(t, cfg.Validate(), "learn: true has no effect")
	cfg.KeepEvery, cfg.MaxLearned, cfg.ForgetAfter = -1, 0, 0
	for _, want := range []string{"keep_every: -1ns is negative", "max_learned: 0 leaves no room", "forget_after: 0s would forget at once"} {
		require.ErrorContains(t, cfg.Validate(), want)
	}
}

// Over real connections, which the server closes when they are idle.
func TestTheNumberOfConnectionsIsKeptThoughTheServerClosesThem(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP2=%v", http2), func(t *testing.T) {
			up := httptest.NewUnstartedServer(http.NotFoundHandler())
			up.EnableHTTP2 = http2
			up.StartTLS()
			defer up.Close()
			base, err := transport.New(transport.DefaultConfig(), transport.WithTLSConfig(&tls.Config{InsecureSkipVerify: true}))
			require.NoError(t, err)
			defer base.Close()
			cfg := config(up.URL)
			cfg.Connections, cfg.KeepEvery = 3, 5*time.Millisecond
			want := 3
			if http2 {
				want = 1
			}
			w, err := dnswarmup.New(cfg, dnswarmup.WithWarmer(base))
			require.NoError(t, err)
			require.NoError(t, w.Start(t.Context()))
			for range 3 {
				opened := base.Stats().Connections.Opened
				require.Equal(t, want, base.Stats().Connections.Open)
				up.CloseClientConnections()
				require.Eventually(t, func() bool {
					s := base.Stats().Connections
					return s.Opened >= opened+uint64(want) && s.Open == want
				}, 10*time.Second, time.Millisecond)
			}
			require.NoError(t, w.Stop(t.Context()))
		})
	}
}
