package middleware_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

// asking is a request with a JSON body that can be had again.
func asking(t testing.TB, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.test/v1/chat/completions", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	return req
}

func TestTheModelOfABody(t *testing.T) {
	long := strings.Repeat("x", 128)
	for name, tt := range map[string]struct{ body, want string }{
		"at the beginning":             {`{"model":"gpt-4o","messages":[]}`, "api.test/gpt-4o"},
		"at the end":                   {`{"messages":[{"role":"user","content":"hi"}],"stream":true,"model":"gpt-4o"}`, "api.test/gpt-4o"},
		"with spaces":                  {" {\r\n\t\"n\" : 1.5e3 ,\n\"model\" : \"deepseek-chat\" }", "api.test/deepseek-chat"},
		"with a slash":                 {`{"model":"openai/gpt-4o:free"}`, "api.test/openai/gpt-4o:free"},
		"with a slash that is escaped": {`{"model":"openai\/gpt-4o"}`, "api.test/openai/gpt-4o"},
		"as long as a name may be":     {`{"model":"` + long + `"}`, "api.test/" + long},
		"too long":                     {`{"model":"` + long + `x"}`, "api.test"},
		"of another object":            {`{"options":{"model":"inner"},"list":["model",{"model":"inner"}]}`, "api.test"},
		"after one of another object":  {`{"options":{"model":"inner","a":"}"},"model":"outer"}`, "api.test/outer"},
		"within a text":                {`{"prompt":"\"model\":\"no\" \\","model":"yes"}`, "api.test/yes"},
		"a key that begins like it":    {`{"models":"no","mode":"no","model":"yes"}`, "api.test/yes"},
		"an empty name":                {`{"model":""}`, "api.test"},
		"not a name":                   {`{"model":"a b"}`, "api.test"},
		"a name in need of escapes":    {`{"model":"caf\u00e9"}`, "api.test"},
		"not a string":                 {`{"model":{"name":"a"}}`, "api.test"},
		"null":                         {`{"model":null}`, "api.test"},
		"none":                         {`{"messages":[]}`, "api.test"},
		"an array":                     {`[{"model":"a"}]`, "api.test"},
		"a text that breaks off":       {`{"model":"gpt`, "api.test"},
		"no JSON":                      {`model=gpt-4o`, "api.test"},
		"an empty object":              {`{}`, "api.test"},
		"a missing value":              {`{"a":,"model":"x"}`, "api.test/x"},
		"no end in sight":              {`{"a":[[[[`, "api.test"},
		"just within the bound":        {`{"a":"` + strings.Repeat("x", 64<<10-len(`{"a":"","model":"m"`)) + `","model":"m"}`, "api.test/m"},
		"just beyond the bound":        {`{"a":"` + strings.Repeat("x", 64<<10-len(`{"a":"","model":"m"`)+1) + `","model":"m"}`, "api.test"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.want, middleware.Model(asking(t, tt.body))) })
	}
}

func TestTheModelOfAPath(t *testing.T) {
	for path, want := range map[string]string{
		"/openai/deployments/gpt-4o-eu/chat/completions":                                       "api.test/gpt-4o-eu",
		"/v1beta/models/gemini-2.0-flash:generateContent":                                      "api.test/gemini-2.0-flash",
		"/v1/projects/p/locations/l/publishers/google/models/gemini-pro:streamGenerateContent": "api.test/gemini-pro",
		"/v1/models":                       "api.test/of-the-body",
		"/v1/models/gpt-4o":                "api.test/of-the-body",
		"/openai/deployments/":             "api.test/of-the-body",
		"/openai/deployments/x":            "api.test/of-the-body",
		"/openai/deployments//chat":        "api.test/of-the-body",
		"/openai/deployments/a b/chat":     "api.test/of-the-body",
		"/v1/models/:generateContent":      "api.test/of-the-body",
		"/deployments/a/models/b:generate": "api.test/a",
	} {
		req := asking(t, `{"model":"of-the-body"}`)
		req.URL.Path = path
		require.Equal(t, want, middleware.Model(req), path)
	}
	require.Equal(t, "host.test", middleware.Model(&http.Request{Host: "host.test"}), "without a URL")
}

func TestBodiesThatAreNotLookedInto(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"no type":       func(r *http.Request) { r.Header.Del("Content-Type") },
		"not JSON":      func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"compressed":    func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") },
		"none":          func(r *http.Request) { r.Body = http.NoBody },
		"not available": func(r *http.Request) { r.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("gone") } },
		"nil":           func(r *http.Request) { r.GetBody = func() (io.ReadCloser, error) { return nil, nil } },
		"broken": func(r *http.Request) {
			r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF)), nil }
		},
		"once only": func(r *http.Request) { r.GetBody = nil },
	} {
		t.Run(name, func(t *testing.T) {
			req := asking(t, `{"model":"a"}`)
			change(req)
			require.Equal(t, "api.test", middleware.Model(req))
		})
	}
	for _, typ := range []string{"application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json", " application/json ;x=y"} {
		req := asking(t, `{"model":"a"}`)
		req.Header.Set("Content-Type", typ)
		require.Equal(t, "api.test/a", middleware.Model(req), typ)
	}
}

func TestTheModelIsLookedForOncePerCall(t *testing.T) {
	looks := 0
	keys := []string{}
	asks := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			keys = append(keys, middleware.Model(req))
			return next.RoundTrip(req)
		})
	}
	rt := middleware.Chain(answer(503, text("no")), asks, repeating(2), asks, asks)
	req := asking(t, `{"model":"a"}`)
	body := req.GetBody
	req.GetBody = func() (io.ReadCloser, error) { looks++; return body() }
	_, err := rt.RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, []string{"api.test/a", "api.test/a", "api.test/a", "api.test/a", "api.test/a"}, keys)
	require.Equal(t, 1, looks)
	sent, err := io.ReadAll(req.Body)
	require.NoError(t, err)
	require.Equal(t, `{"model":"a"}`, string(sent), "the caller's body is untouched")
}

func TestTheModelIsLookedForAgainWhereItWasForgotten(t *testing.T) {
	keys := []string{}
	asks := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			keys = append(keys, middleware.Model(req))
			return next.RoundTrip(req)
		})
	}
	other := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			if resp, err := next.RoundTrip(req); err == nil {
				_ = resp.Body.Close()
			}
			ex := middleware.FromContext(req.Context())
			ex.ForgetModel()
			defer ex.ForgetModel()
			return next.RoundTrip(asking(t, `{"model":"b"}`).WithContext(req.Context()))
		})
	}
	_, err := middleware.Chain(answer(503, text("no")), asks, repeating(2), other, asks, asks).RoundTrip(asking(t, `{"model":"a"}`))
	require.NoError(t, err)
	once := []string{"api.test/a", "api.test/a", "api.test/b", "api.test/b"}
	require.Equal(t, slices.Concat([]string{"api.test/a"}, once, once), keys)
}

// A body without GetBody is looked into where a stage further out records it,
// and is sent in full all the same.
func TestTheModelOfABodyThatIsRecorded(t *testing.T) {
	content := `{"messages":["` + strings.Repeat("word ", 2000) + `"],"model":"a"}`
	for _, tt := range []struct {
		name  string
		limit middleware.Bytes
		want  string
	}{
		{"whole", 64 * middleware.KiB, "api.test/a"},
		{"up to a bound", middleware.Bytes(len(content) - 4), "api.test"},
		{"and its length is not known", 64 * middleware.KiB, "api.test/a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := asking(t, content)
			req.Body, req.GetBody = io.NopCloser(iotest.HalfReader(strings.NewReader(content))), nil
			req.ContentLength = -1
			require.Equal(t, "api.test", middleware.Model(req), "not yet")
			replay := middleware.NewReplay(req, tt.limit)
			var err error
			req.Body, err = replay.Body()
			require.NoError(t, err)
			require.Equal(t, tt.want, middleware.Model(req))
			sent, err := io.ReadAll(req.Body)
			require.NoError(t, err)
			require.Equal(t, content, string(sent))
			require.NoError(t, req.Body.Close())
			replay.Release()
		})
	}
}

func FuzzTheModelOfABody(f *testing.F) {
	for _, seed := range []string{`{"model":"gpt-4o"}`, `{"a":[{"b":"}"}],"model":"x/y:z"}`, `{"model":1}`, `{"a":"\"","model":"m"}`, `{"model":"`, `{"":{},"model":"m"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		key := middleware.Model(asking(t, string(body)))
		require.LessOrEqual(t, len(key), len("api.test/")+128)
		if bytes.ContainsRune(body, '\\') || len(body) > 64<<10 || !json.Valid(body) {
			return
		}
		name, _ := strings.CutPrefix(key, "api.test")
		require.Contains(t, []string{"", "/" + firstModel(body)}, name)
		if m := firstModel(body); m != "" && len(m) <= 128 && strings.Trim(m, "abcdefghijklmnopqrstuvwxyz-0123456789") == "" {
			require.Equal(t, "/"+m, name, "%s", fmt.Sprintf("%.200q", body))
		}
	})
}

// firstModel reads a valid JSON text as encoding/json does.
func firstModel(body []byte) string {
	d := json.NewDecoder(bytes.NewReader(body))
	if tok, _ := d.Token(); tok != json.Delim('{') {
		return ""
	}
	for d.More() {
		key, _ := d.Token()
		var value any
		_ = d.Decode(&value)
		if key == "model" {
			name, _ := value.(string)
			return name
		}
	}
	return ""
}
