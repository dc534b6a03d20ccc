package pipeline_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ok is a base that answers 200 at once.
var ok = answering(http.StatusOK)

func answering(status int) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		middleware.CloseBody(req)
		return response(req, status, io.NopCloser(strings.NewReader("ok"))), nil
	})
}

func response(req *http.Request, status int, body io.ReadCloser) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: body, ContentLength: -1, Request: req,
	}
}

// openBodies is a base whose bodies stay open until the caller closes them.
var openBodies = middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
	r, _ := io.Pipe()
	return response(req, http.StatusOK, r), nil
})

// untouched is a base that must not be used.
func untouched(t testing.TB) http.RoundTripper {
	return middleware.RoundTripperFunc(func(*http.Request) (*http.Response, error) {
		t.Error("the base was used")
		return nil, errors.New("used")
	})
}

// files is a directory of name, text, name, text ...
func files(parts ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(parts); i += 2 {
		fsys[parts[i]] = &fstest.MapFile{Data: []byte(parts[i+1])}
	}
	return fsys
}

// load reads one file, and the overlays over it, which must be right.
func load(t testing.TB, text string, overlays ...string) pipeline.File {
	t.Helper()
	f, err := tryLoad(text, overlays...)
	require.NoError(t, err)
	return f
}

func tryLoad(text string, overlays ...string) (pipeline.File, error) {
	parts, names := []string{"http.yaml", text}, []string(nil)
	for i, o := range overlays {
		name := "http." + string(rune('a'+i)) + ".yaml"
		parts, names = append(parts, name, o), append(names, name)
	}
	return pipeline.Load(files(parts...), "http.yaml", names...)
}

// build makes a pipeline over a base; it is stopped when the test ends.
func build(t testing.TB, cfg pipeline.Config, base http.RoundTripper, opts ...pipeline.Option) *pipeline.Pipeline {
	t.Helper()
	p, err := pipeline.New("api", cfg, append(opts, pipeline.WithBase(base))...)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = p.Stop(ctx)
	})
	return p
}

func request(t testing.TB, ctx context.Context, method, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	require.NoError(t, err)
	return req
}

// get sends a request and reads the answer to its end.
func get(t testing.TB, rt http.RoundTripper) int {
	t.Helper()
	resp, err := rt.RoundTrip(request(t, t.Context(), http.MethodGet, "http://api.example.com/"))
	require.NoError(t, err)
	return finish(t, resp)
}

func finish(t testing.TB, resp *http.Response) int {
	t.Helper()
	_, err := io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

// open sends a request and leaves the answer's body open.
func open(t testing.TB, rt http.RoundTripper) *http.Response {
	t.Helper()
	resp, err := rt.RoundTrip(request(t, t.Context(), http.MethodGet, "http://api.example.com/"))
	require.NoError(t, err)
	return resp
}

// journal is a list that several may write to.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

// take gives what has been written since the last take.
func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}

// probe is the configuration of a stage that says what happens to it.
type probe struct {
	Label string `yaml:"label"`
	Count int    `yaml:"count"`
}

func (p probe) Validate() error {
	var all middleware.Problems
	all.Check(p.Count >= 0, "count", "%d is negative; 0 is none", p.Count)
	return all.Err()
}

// probing makes a factory of probes that write into j what happens to them.
// change, if not nil, changes each stage before it is used.
func probing(typ string, j *journal, change func(cfg probe, s *pipeline.Stage[probe])) pipeline.Factory {
	return pipeline.Define(typ,
		func() probe { return probe{Label: "default"} },
		func(cfg probe, env pipeline.Env) (pipeline.Stage[probe], error) {
			s := pipeline.Stage[probe]{
				Wrap: func(next http.RoundTripper) http.RoundTripper {
					return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
						j.add("call " + env.ID)
						return next.RoundTrip(req)
					})
				},
				Start: func(context.Context) error { j.add("start " + env.ID); return nil },
				Stop:  func(context.Context) error { j.add("stop " + env.ID); return nil },
			}
			if change != nil {
				change(cfg, &s)
			}
			return s, nil
		})
}

func registry(t testing.TB, parts ...pipeline.Factory) *pipeline.Registry {
	t.Helper()
	r, err := pipeline.NewRegistry(parts...)
	require.NoError(t, err)
	return r
}
