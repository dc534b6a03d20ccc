package pipeline_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore/redis"
	"github.com/headgate-go/headgate/middleware/httpcache"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/pipeline"
)

// The cache stage over every store that outlives a process, as a configuration describes it. The timeouts are those of
// a busy machine.
const overStores = `
pipelines:
  api:
    order: [fallback, cache]
    stores:
      disk: {folder: "${env:TEST_FOLDER}", max_bytes: 64MiB, max_entry_bytes: 2MiB}
      redis: {addresses: ["${env:TEST_REDIS:-127.0.0.1:1}"], timeout: 20s}
      tiered: {tiers: [memory, disk], timeout: 20s}
      tiered/three: {tiers: [memory, disk, redis], timeout: 20s}
    stages:
      fallback: {answers: [{stale: {max_age: 1h}}]}
      cache:
        store: ${env:TEST_STORE}
        store_timeout: 20s
        purge_within: 0s
        routes: [{method: POST, path: /chat, ttl: 1h}]
`

// onEachStore runs the test with a function that opens a pipeline, as each start of a program does.
func onEachStore(t *testing.T, test func(t *testing.T, restart func() *pipeline.Pipeline)) {
	for _, store := range []string{"disk", "redis", "tiered", "tiered/three"} {
		t.Run(strings.ReplaceAll(store, "/", " of "), func(t *testing.T) {
			t.Setenv("TEST_STORE", store)
			t.Setenv("TEST_FOLDER", filepath.Join(t.TempDir(), "cache"))
			if store == "redis" || store == "tiered/three" {
				t.Setenv("TEST_REDIS", startRedis(t).address)
			}
			stop := func() {}
			defer func() { stop() }()
			test(t, func() *pipeline.Pipeline {
				stop()
				p := openWithStores(t, overStores)
				stop = func() { require.NoError(t, p.Stop(context.Background())) }
				return p
			})
		})
	}
}

// openWithStores loads and starts a pipeline that knows redis.
func openWithStores(t testing.TB, text string, opts ...pipeline.Option) *pipeline.Pipeline {
	t.Helper()
	r := registry(t, pipeline.DefineStore(redis.Type, redis.DefaultServerConfig, redis.Open))
	file, err := r.Load(files("http.yaml", text), "http.yaml")
	require.NoError(t, err)
	p, err := r.New("api", file.Pipelines["api"], opts...)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context()))
	return p
}

// call is a request, and what came of it.
type call struct {
	ctx          context.Context
	method, path string
	body         string
	header       http.Header
}

type came struct {
	status      int
	body        string
	cached      string // Cache-Status
	fallback    string // Headgate-Fallback
	contentType string
}

func (c call) over(t testing.TB, p *pipeline.Pipeline, up *middlewaretest.Upstream) came {
	t.Helper()
	if c.ctx == nil {
		c.ctx = t.Context()
	}
	if c.method == "" {
		c.method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(c.ctx, c.method, up.URL+c.path, strings.NewReader(c.body))
	require.NoError(t, err)
	if c.body == "" {
		req.Body, req.GetBody = http.NoBody, nil
	}
	for name, values := range c.header {
		req.Header[name] = values
	}
	resp, err := p.Client().Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return came{
		status: resp.StatusCode, body: string(body), cached: resp.Header.Get("Cache-Status"),
		fallback: resp.Header.Get("Headgate-Fallback"), contentType: resp.Header.Get("Content-Type"),
	}
}

// versions is an upstream whose answers to a GET carry the number of the request, in a body of the size that the path
// says (/1000), and are fresh for an hour. Down, it is busy.
type versions struct {
	mu   sync.Mutex
	down bool
}

func (v *versions) setDown(down bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.down = down
}

const stream = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\ndata: [DONE]\n\n"

func (v *versions) answer(n int, r *http.Request) middlewaretest.Answer {
	v.mu.Lock()
	defer v.mu.Unlock()
	var size int
	_, _ = fmt.Sscanf(r.URL.Path, "/%d", &size)
	switch {
	case v.down:
		return middlewaretest.Text(503, "busy")
	case r.Method == http.MethodPost:
		return middlewaretest.Answer{Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: fmt.Appendf(nil, ": %d\n\n%s", n, stream)}
	case r.Method == http.MethodPut:
		return middlewaretest.Text(204, "")
	}
	return middlewaretest.Text(200, fmt.Sprintf("%d %s", n, strings.Repeat("x", size))).
		With("Cache-Control", "max-age=3600").With("Vary", "X-Token")
}

func newVersions(t testing.TB) (*versions, *middlewaretest.Upstream) {
	v := &versions{}
	return v, middlewaretest.New(t, v.answer)
}

func TestARestartFindsWhatIsStored(t *testing.T) {
	onEachStore(t, func(t *testing.T, restart func() *pipeline.Pipeline) {
		_, up := newVersions(t)
		p := restart()
		for _, path := range []string{"/10", "/100000"} { // within the index, and a body of its own
			first := call{path: path}.over(t, p, up)
			require.Contains(t, first.cached, "headgate; fwd=uri-miss; stored; ttl=")
			for range 3 {
				again := call{path: path}.over(t, p, up)
				require.Contains(t, again.cached, "headgate; hit; ttl=")
				require.Equal(t, first.body, again.body)
				p = restart()
			}
		}
		require.Equal(t, 2, up.Stats().Requests)
	})
}

func TestARestartDoesNotBringBackWhatWasInvalidated(t *testing.T) {
	onEachStore(t, func(t *testing.T, restart func() *pipeline.Pipeline) {
		_, up := newVersions(t)
		p := restart()
		get := func(path string) string {
			return call{ctx: httpcache.Tags(t.Context(), "tag"+path), path: path}.over(t, p, up).body
		}
		for name, invalidate := range map[string]func(path string) error{
			"PUT": func(path string) error {
				require.Equal(t, 204, call{method: http.MethodPut, path: path}.over(t, p, up).status)
				return nil
			},
			"purge":    func(path string) error { return p.Purge(request(t, t.Context(), http.MethodGet, up.URL+path)) },
			"prefix":   func(path string) error { return p.PurgePrefix(t.Context(), up.URL+path) },
			"by a tag": func(path string) error { return p.PurgeTags(t.Context(), "tag"+path) },
		} {
			before := map[string]string{"/20": get("/20"), "/300000": get("/300000")}
			for path := range before {
				require.Equal(t, before[path], get(path))
				require.NoError(t, invalidate(path), name)
			}
			p = restart()
			for path := range before {
				require.NotEqual(t, before[path], get(path), name)
			}
		}
	})
}

func TestStreamsOfAPromptAreReplayedAfterARestart(t *testing.T) {
	onEachStore(t, func(t *testing.T, restart func() *pipeline.Pipeline) {
		_, up := newVersions(t)
		ask := func(p *pipeline.Pipeline, prompt, key string) came {
			return call{method: http.MethodPost, path: "/chat", body: prompt, header: http.Header{"Authorization": {key}}}.over(t, p, up)
		}
		first := ask(restart(), "hello", "one")
		require.Contains(t, first.body, stream)
		p := restart()
		again := ask(p, "hello", "one")
		require.Contains(t, again.cached, "headgate; hit")
		require.Equal(t, first.body, again.body)
		require.Equal(t, "text/event-stream", again.contentType)
		require.NotEqual(t, first.body, ask(p, "hello!", "one").body, "another prompt")
		require.NotEqual(t, first.body, ask(p, "hello", "two").body, "another tenant")
	})
}

func TestOptionsOfACallOverEveryStore(t *testing.T) {
	onEachStore(t, func(t *testing.T, restart func() *pipeline.Pipeline) {
		_, up := newVersions(t)
		p := restart()
		get := func(ctx context.Context) came { return call{ctx: ctx, path: "/30"}.over(t, p, up) }
		require.Equal(t, http.StatusGatewayTimeout, get(httpcache.OnlyIfCached(t.Context())).status)
		first := get(t.Context())
		require.Equal(t, first.body, get(httpcache.OnlyIfCached(t.Context())).body)
		require.NotEqual(t, first.body, get(httpcache.Bypass(t.Context())).body)
		require.Equal(t, first.body, get(t.Context()).body, "the call that went by has changed nothing")
		other := get(httpcache.Namespace(t.Context(), "other"))
		require.NotEqual(t, first.body, other.body)
		fresh := get(httpcache.Refresh(httpcache.TTL(t.Context(), 2*time.Hour)))
		require.NotEqual(t, first.body, fresh.body)
		p = restart()
		again := get(t.Context())
		require.Equal(t, fresh.body, again.body)
		require.Regexp(t, `ttl=7[12]\d\d$`, again.cached, "of two hours")
		require.Equal(t, other.body, get(httpcache.Namespace(t.Context(), "other")).body)
	})
}

func TestFallbackGivesAStaleAnswerAfterARestart(t *testing.T) {
	onEachStore(t, func(t *testing.T, restart func() *pipeline.Pipeline) {
		v, up := newVersions(t)
		want := call{path: "/100000"}.over(t, restart(), up)
		v.setDown(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		got := call{ctx: ctx, path: "/100000", header: http.Header{"Cache-Control": {"max-age=0"}}}.over(t, restart(), up)
		require.Equal(t, "stale; reason=busy", got.fallback)
		require.Equal(t, want.body, got.body)
		require.Equal(t, 200, got.status)
	})
}

// A value that rotates in a field of Vary takes the place of older ones, and so do the bodies.
func TestARotatingVaryDoesNotFillTheStore(t *testing.T) {
	onEachStore(t, func(t *testing.T, restart func() *pipeline.Pipeline) {
		_, up := newVersions(t)
		p := restart()
		held := func() (n int) {
			if os.Getenv("TEST_STORE") == "redis" {
				client := goredis.NewClient(&goredis.Options{Addr: os.Getenv("TEST_REDIS")})
				defer func() { require.NoError(t, client.Close()) }()
				size, err := client.DBSize(t.Context()).Result()
				require.NoError(t, err)
				return int(size)
			}
			require.NoError(t, filepath.WalkDir(os.Getenv("TEST_FOLDER"), func(_ string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					n++
				}
				return err
			}))
			return n
		}
		for i := range 50 {
			call{path: "/20000", header: http.Header{"X-Token": {fmt.Sprint(i)}}}.over(t, p, up)
		}
		variants := httpcache.DefaultConfig().MaxVariants
		require.LessOrEqual(t, held(), 3+variants, "an index, a mark, the list of purges, and the bodies")
		last := call{path: "/20000", header: http.Header{"X-Token": {"49"}}}.over(t, restart(), up)
		require.Contains(t, last.cached, "headgate; hit")
	})
}
