package middleware_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

// follower is a ProgressWatcher that notes what it is told.
type follower struct {
	mu   sync.Mutex
	told []string
}

func (f *follower) ReadBegins() { f.note("read") }
func (f *follower) Progress()   { f.note("progress") }
func (f *follower) ReadEnds(progress bool) {
	if progress {
		f.note("with progress")
	} else {
		f.note("without")
	}
}

func (f *follower) note(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, what)
}

func (f *follower) take() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	told := strings.Join(f.told, ", ")
	f.told = nil
	return told
}

// following is a stage that registers a watcher.
func following(w middleware.ProgressWatcher) middleware.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
			ex, inner := middleware.Join(req)
			defer ex.Leave(req, &resp, &err)
			ex.OnProgress(w)
			ex.OnEnd(&recorder{}, 0)
			return next.RoundTrip(inner)
		})
	}
}

// provider is a provider stage: it knows that a "." keeps alive and anything else is content.
func provider(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		ex.ReportsProgress()
		resp, err = next.RoundTrip(inner)
		if err == nil {
			resp.Body = &reported{resp.Body, ex}
		}
		return resp, err
	})
}

type reported struct {
	io.ReadCloser
	ex *middleware.Exchange
}

func (r *reported) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if strings.Trim(string(p[:n]), ".") != "" {
		r.ex.Progress()
	}
	return n, err
}

// pieces is a body that gives one of them for each Read.
func pieces(all ...string) func(*http.Request) io.ReadCloser {
	return func(*http.Request) io.ReadCloser {
		var readers []io.Reader
		for _, p := range all {
			readers = append(readers, strings.NewReader(p))
		}
		return io.NopCloser(io.MultiReader(readers...))
	}
}

func TestProgressOfABody(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stages func(f *follower) []middleware.Middleware
		want   []string // what each Read tells
	}{
		{
			"bytes, where nobody knows better",
			func(f *follower) []middleware.Middleware { return []middleware.Middleware{following(f)} },
			[]string{"read, with progress", "read, with progress", "read, without"},
		},
		{
			"content, where a provider stage knows it",
			func(f *follower) []middleware.Middleware { return []middleware.Middleware{following(f), provider} },
			[]string{"read, without", "read, progress, without", "read, without"},
		},
		{
			"of the attempt, seen from the call",
			func(f *follower) []middleware.Middleware {
				return []middleware.Middleware{following(f), oneAttempt, provider}
			},
			[]string{"read, without", "read, progress, without", "read, without"},
		},
		{
			"by two watchers, of the call and of the attempt",
			func(f *follower) []middleware.Middleware {
				return []middleware.Middleware{following(f), oneAttempt, following(f)}
			},
			[]string{"read, read, with progress, with progress", "read, read, with progress, with progress", "read, read, without, without"},
		},
		{
			"through a body that a stage has wrapped: bytes don't count for the call either",
			func(f *follower) []middleware.Middleware {
				return []middleware.Middleware{following(f), wrappingBody, oneAttempt, provider}
			},
			[]string{"read, read, without, without", "read, read, progress, without, without", "read, read, without, without"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var f follower
			rt := middleware.Chain(answer(200, pieces("...", "content")), tt.stages(&f)...)
			resp, err := rt.RoundTrip(request(t.Context(), t))
			require.NoError(t, err)
			require.Empty(t, f.take())
			for _, want := range tt.want {
				_, err = resp.Body.Read(make([]byte, 10))
				require.Equal(t, want, f.take())
			}
			require.Equal(t, io.EOF, err)
			_, _ = resp.Body.Read(make([]byte, 10))
			require.NoError(t, resp.Body.Close())
			require.Empty(t, f.take(), "it is over")
		})
	}
}

func TestProgressBeforeTheHeadersAndOfAnAttemptThatIsOver(t *testing.T) {
	var f follower
	var attempt *middleware.Exchange
	early := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		attempt = middleware.FromContext(req.Context())
		attempt.Progress()
		require.Equal(t, "progress", f.take())
		return answer(200, text("ok")).RoundTrip(req)
	})
	resp, err := middleware.Chain(early, following(&f), oneAttempt).RoundTrip(request(t.Context(), t))
	require.NoError(t, err)
	attempt.Progress()
	require.Equal(t, "progress", f.take(), "the body is open")
	require.NoError(t, resp.Body.Close())
	attempt.Progress()
	require.Empty(t, f.take())
}

func TestProgressFromSeveralGoroutines(t *testing.T) {
	var f follower
	ex, _ := middleware.Join(request(t.Context(), t))
	ex.OnProgress(&f)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			ex.ReportsProgress()
			ex.Progress()
		})
	}
	all.Wait()
	require.Equal(t, "progress, progress, progress, progress", f.take())
}

func BenchmarkProgress(b *testing.B) {
	ex, req := middleware.Join(request(b.Context(), b))
	child, _ := ex.Child(req)
	b.Run("nobody watches", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			child.Progress()
		}
	})
}
