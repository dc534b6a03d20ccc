package fallback_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/semaphore"
)

// 1: the failed response is drained and closed before the answer goes out, so that its connection serves the next call.
func TestTheFailedResponsesConnectionIsUsedAgain(t *testing.T) {
	for name, size := range map[string]int{"10 B": 10, "64 KiB": 64 << 10} {
		t.Run(name, func(t *testing.T) {
			up := middlewaretest.New(t, middlewaretest.Always(middlewaretest.Text(503, strings.Repeat("x", size))))
			base := up.Transport()
			defer base.CloseIdleConnections()
			base.MaxConnsPerHost = 1
			f, _ := newStage(t, with(sorry))
			client := &http.Client{Transport: f.Wrap(base)}
			for range 4 {
				resp, err := client.Get(up.URL)
				require.NoError(t, err)
				require.Equal(t, `{"text":"sorry"}`, read(t, resp))
			}
			require.EqualValues(t, 4, up.Stats().Requests)
			require.EqualValues(t, 1, up.Stats().Connections)
		})
	}
}

func TestTheOriginalIsClosedOnceAnAnswerIsThere(t *testing.T) {
	for name, size := range map[string]int{"short": 10, "longer than is kept": 65 << 10} {
		t.Run(name, func(t *testing.T) {
			original := newBody(strings.Repeat("x", size))
			f, _ := newStage(t, with(sorry))
			resp, err := f.Wrap(give(503, original)).RoundTrip(get(t))
			require.NoError(t, err)
			require.NotZero(t, original.closed.Load())
			require.Equal(t, `{"text":"sorry"}`, read(t, resp))
		})
	}
}

func give(status int, b io.ReadCloser) middleware.RoundTripperFunc {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: b}, nil
	}
}

// 10: if no answer can be given the original comes back, readable, whatever its length.
func TestTheOriginalComesBackReadable(t *testing.T) {
	for name, keep := range map[string]middleware.Bytes{"in memory": 200 * middleware.KiB, "partly": 64 * middleware.KiB, "kept open": 0} {
		t.Run(name, func(t *testing.T) {
			text := strings.Repeat("0123456789", 10<<10)
			original := newBody(text)
			cfg := with(named("first"), named("second"))
			cfg.KeepResponse = keep
			f, seen := newStage(t, cfg, fallback.WithAnswer("first", fallback.Func(failing)), fallback.WithAnswer("second", fallback.Instant(failing)))
			resp, err := f.Wrap(give(503, original)).RoundTrip(get(t))
			require.NoError(t, err)
			require.Equal(t, 503, resp.StatusCode)
			require.Empty(t, resp.Header.Get(fallback.Header))
			require.Equal(t, text, read(t, resp))
			require.EqualValues(t, 1, original.closed.Load())
			require.Equal(t, fallback.EventFailed, seen.only(t).Kind)
		})
	}
}

func TestAnOriginalThatIsTooSlowIsCutAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, in := io.Pipe()
		go func() { _, _ = in.Write([]byte("half")) }()
		f, _ := newStage(t, with(named("first")), fallback.WithAnswer("first", fallback.Instant(failing)))
		start := time.Now()
		resp, err := f.Wrap(give(503, out)).RoundTrip(get(t))
		require.NoError(t, err)
		require.Equal(t, 250*time.Millisecond, time.Since(start), "keep_time")
		require.Equal(t, 503, resp.StatusCode)
		got, err := io.ReadAll(resp.Body)
		require.ErrorIs(t, err, io.ErrClosedPipe)
		require.Equal(t, "half", string(got))
		require.NoError(t, resp.Body.Close())
	})
}

func TestAnOriginalThatBreaksOffStaysBroken(t *testing.T) {
	f, _ := newStage(t, with(named("first")), fallback.WithAnswer("first", fallback.Instant(failing)))
	resp, err := f.Wrap(give(503, &body{Reader: io.MultiReader(strings.NewReader("half"), brokenReader{})})).RoundTrip(get(t))
	require.NoError(t, err)
	got, err := io.ReadAll(resp.Body)
	require.ErrorIs(t, err, errDown)
	require.Equal(t, "half", string(got))
	require.NoError(t, resp.Body.Close())
}

// A response without a body object comes from hand-made stages only; it must not crash anything.
func TestAnOriginalWithoutABody(t *testing.T) {
	for _, original := range []io.ReadCloser{nil, http.NoBody} {
		f, _ := newStage(t, with(sorry))
		resp, err := f.Wrap(give(503, original)).RoundTrip(get(t))
		require.NoError(t, err)
		require.Equal(t, `{"text":"sorry"}`, read(t, resp))
	}
}

// 3, 19: what the failed attempt held below is free when an answer asks for it.
func TestPermitsAreFreeForTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := semaphore.DefaultConfig()
		cfg.MaxConcurrent, cfg.Key = 1, middleware.KeyShared
		permits, err := semaphore.New(cfg)
		require.NoError(t, err)
		again := fallback.Func(func(req *http.Request, failure fallback.Failure) (*http.Response, error) {
			return failure.Next.RoundTrip(req)
		})
		f, _ := newStage(t, with(named("again")), fallback.WithAnswer("again", again))
		calls := 0
		below := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			if calls++; calls == 1 {
				return respond(503, "busy")(req)
			}
			return respond(200, "fine")(req)
		})
		start := time.Now()
		resp, err := middleware.Chain(below, f.Wrap, permits.Wrap).RoundTrip(get(t))
		require.NoError(t, err)
		require.Equal(t, "again; reason=busy", resp.Header.Get(fallback.Header))
		require.Equal(t, 1, permits.Stats()[0].InUse, "the answer's body is open")
		require.Equal(t, "fine", read(t, resp))
		require.Zero(t, permits.Stats()[0].InUse)
		require.Zero(t, time.Since(start))
	})
}

// 2: the context that an answer was made with lives until its body ends.
func TestAnAnswersContextLivesUntilItsBodyEnds(t *testing.T) {
	errOver := errors.New("the context is over")
	var answered *http.Request
	stream := fallback.Func(func(req *http.Request, _ fallback.Failure) (*http.Response, error) {
		answered = req
		look := readFunc(func(p []byte) (int, error) {
			if req.Context().Err() != nil {
				return 0, errOver
			}
			return 0, io.EOF
		})
		return &http.Response{StatusCode: 200, Body: io.NopCloser(io.MultiReader(strings.NewReader("text"), look))}, nil
	})
	f, _ := newStage(t, with(named("stream")), fallback.WithAnswer("stream", stream))
	resp, err := middleware.Chain(respond(503, "busy"), f.Wrap).RoundTrip(get(t))
	require.NoError(t, err)
	require.Equal(t, "text", read(t, resp))
	require.Error(t, answered.Context().Err(), "and no longer")
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
