package fallback_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/fallback"
)

func TestStaticIsKeptOutOfCachesUnlessConfigured(t *testing.T) {
	for name, c := range map[string]struct {
		headers map[string]string
		want    string
	}{
		"by default":    {nil, "no-store"},
		"as configured": {map[string]string{"cache-control": "max-age=5"}, "max-age=5"},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := newStage(t, with(fallback.AnswerConfig{Static: &fallback.Static{Status: 200, Headers: c.headers}}))
			resp, err := f.Wrap(fail(errDown)).RoundTrip(get(t))
			require.NoError(t, err)
			require.Equal(t, []string{c.want}, resp.Header["Cache-Control"])
		})
	}
}

func TestStaticBodies(t *testing.T) {
	for name, c := range map[string]struct {
		method string
		static fallback.Static
		length int64
		header string // Content-Length
		body   string
	}{
		"GET":               {"GET", fallback.Static{Status: 200, Body: "sorry"}, 5, "5", "sorry"},
		"POST":              {"POST", fallback.Static{Status: 503, Body: "sorry"}, 5, "5", "sorry"},
		"an empty method":   {"", fallback.Static{Status: 200, Body: "sorry"}, 5, "5", "sorry"},
		"HEAD has no body":  {"HEAD", fallback.Static{Status: 200, Body: "sorry"}, 5, "5", ""},
		"an empty body":     {"GET", fallback.Static{Status: 200}, 0, "0", ""},
		"204 has no length": {"GET", fallback.Static{Status: 204}, 0, "", ""},
		"304 has no length": {"GET", fallback.Static{Status: 304}, 0, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := newStage(t, with(fallback.AnswerConfig{Static: &c.static}))
			req := get(t)
			req.Method = c.method
			resp, err := f.Wrap(fail(errDown)).RoundTrip(req)
			require.NoError(t, err)
			require.Equal(t, c.static.Status, resp.StatusCode)
			require.Equal(t, c.length, resp.ContentLength)
			require.Equal(t, c.header, resp.Header.Get("Content-Length"))
			require.Equal(t, "HTTP/1.1", resp.Proto)
			require.Equal(t, c.body, read(t, resp))
		})
	}
}

func TestStaticBodyCanBeClosedEarlyAndTwice(t *testing.T) {
	resp := sorry.Static.Response(get(t))
	_, err := io.ReadFull(resp.Body, make([]byte, 3))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.NoError(t, resp.Body.Close())
	n, err := resp.Body.Read(make([]byte, 3))
	require.Zero(t, n)
	require.ErrorIs(t, err, http.ErrBodyReadAfterClose)
}

// Through an http.Client and on to another one, as a proxy would: what goes out is well-formed.
func TestStaticOnTheWire(t *testing.T) {
	f, _ := newStage(t, with(sorry))
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, err := http.NewRequestWithContext(r.Context(), r.Method, "http://api.example.com/", nil)
		if err != nil {
			t.Error(err)
			return
		}
		resp, err := f.Wrap(fail(errDown)).RoundTrip(out)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		for name, values := range resp.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	defer front.Close()
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		req, err := http.NewRequest(method, front.URL, nil)
		require.NoError(t, err)
		resp, err := front.Client().Do(req)
		require.NoError(t, err)
		require.EqualValues(t, 16, resp.ContentLength)
		require.Equal(t, "static; reason=failure", resp.Header.Get("Headgate-Fallback"))
		require.Equal(t, method == http.MethodGet, strings.Contains(read(t, resp), "sorry"))
	}
}
