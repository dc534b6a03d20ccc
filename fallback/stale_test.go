package fallback_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
)

// shelf is a StaleSource that has an answer of a certain age.
type shelf struct {
	age  time.Duration
	read []string // the requests' bodies
}

func (s *shelf) Stale(req *http.Request, maxAge time.Duration) (*http.Response, bool) {
	content := ""
	if req.Body != nil {
		b, _ := io.ReadAll(req.Body)
		_ = req.Body.Close()
		content = string(b)
	}
	s.read = append(s.read, content)
	if s.age > maxAge {
		return nil, false
	}
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Age": {"3600"}, "Cache-Control": {"max-age=60"}, "Cache-Status": {"headgate; hit; ttl=-3540"}},
		Body: newBody("old"), ContentLength: 3, Request: req,
	}, true
}

func stale(maxAge time.Duration) fallback.AnswerConfig {
	return fallback.AnswerConfig{Stale: &fallback.Stale{MaxAge: maxAge}}
}

func TestStaleAnswerIsGivenAndSaysSo(t *testing.T) {
	f, err := fallback.New(with(stale(2*time.Hour), sorry), fallback.WithStaleSource(&shelf{age: time.Hour}))
	require.NoError(t, err)
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://api.example.com/", nil)
	resp, err := f.Wrap(respond(503, "busy")).RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, "stale; reason=busy", resp.Header.Get(fallback.Header))
	require.Equal(t, "3600", resp.Header.Get("Age"))
	require.Equal(t, "headgate; hit; ttl=-3540", resp.Header.Get("Cache-Status"))
	require.Empty(t, resp.Header["Warning"], "obsolete (RFC 9111, section 5.5)")
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "old", string(b))
	require.NoError(t, resp.Body.Close())
	require.Same(t, req, resp.Request)
}

func TestWithoutAStaleAnswerTheNextOneIsTried(t *testing.T) {
	var seen events
	f, err := fallback.New(with(stale(time.Minute), sorry), fallback.WithStaleSource(&shelf{age: time.Hour}), fallback.WithReporter(middleware.Reporter{Observer: &seen}))
	require.NoError(t, err)
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://api.example.com/", nil)
	resp, err := f.Wrap(fail(errDown)).RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, "static; reason=failure", resp.Header.Get(fallback.Header))
	require.ErrorIs(t, seen.only(t).Err, fallback.ErrNoStale)
	require.NoError(t, resp.Body.Close())
}

// A body may be the key of what is stored, so the source can read it.
func TestStaleSourceReadsTheBody(t *testing.T) {
	source := &shelf{}
	f, err := fallback.New(with(stale(time.Minute)), fallback.WithStaleSource(source))
	require.NoError(t, err)
	req, _ := http.NewRequestWithContext(t.Context(), "POST", "http://api.example.com/", io.NopCloser(strings.NewReader("prompt")))
	resp, err := f.Wrap(respond(503, "busy")).RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, []string{"prompt"}, source.read)
	require.NoError(t, resp.Body.Close())
}

func TestStaleConfiguration(t *testing.T) {
	_, err := fallback.New(with(stale(time.Hour)))
	require.ErrorContains(t, err, "answers[0].stale: there is no cache")
	cfg := with(stale(0), stale(time.Hour), fallback.AnswerConfig{Stale: &fallback.Stale{MaxAge: 1}, Func: "x"})
	err = cfg.Validate()
	for _, want := range []string{"answers[0].stale.max_age", "answers[1].stale: it is in the list twice", "answers[2]: there are 2 answers in one"} {
		require.ErrorContains(t, err, want)
	}
	require.True(t, cfg.NeedsStale())
	require.False(t, with(sorry).NeedsStale())
}
