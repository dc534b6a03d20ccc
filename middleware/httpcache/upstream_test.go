package httpcache_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
)

// upstream is a base that answers as told and counts.
type upstream struct {
	answer func(n int, req *http.Request) (*http.Response, error)

	mu   sync.Mutex
	seen []*http.Request
	sent []string // the bodies
}

func (u *upstream) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := ""
	if req.Body != nil {
		b, err := io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return nil, err
		}
		sent = string(b)
	}
	u.mu.Lock()
	u.seen, u.sent = append(u.seen, req), append(u.sent, sent)
	n := len(u.seen)
	u.mu.Unlock()
	resp, err := u.answer(n, req)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

func (u *upstream) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.seen)
}

func (u *upstream) request(i int) *http.Request {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.seen[i]
}

// respond makes a response as net/http would.
func respond(status int, body string, header ...string) *http.Response {
	resp := &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
	for i := 0; i < len(header); i += 2 {
		resp.Header.Add(header[i], header[i+1])
	}
	return resp
}

// always answers every request with the same.
func always(status int, body string, header ...string) *upstream {
	return &upstream{answer: func(int, *http.Request) (*http.Response, error) { return respond(status, body, header...), nil }}
}

// sequence answers with one after the other, then with the last.
func sequence(make ...func() *http.Response) *upstream {
	return &upstream{answer: func(n int, _ *http.Request) (*http.Response, error) { return make[min(n, len(make))-1](), nil }}
}

func newCache(t testing.TB, change func(*httpcache.Config), opts ...httpcache.Option) *httpcache.Cache {
	t.Helper()
	cfg := httpcache.DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	if storeOfSuite != nil {
		opts = append([]httpcache.Option{httpcache.WithStore(storeOfSuite(t))}, opts...)
	}
	c, err := httpcache.New(cfg, opts...)
	require.NoError(t, err)
	return c
}

// client sends requests through a cache.
type client struct {
	t  testing.TB
	rt http.RoundTripper
}

func newClient(t testing.TB, base http.RoundTripper, change func(*httpcache.Config), opts ...httpcache.Option) *client {
	return &client{t, middleware.Chain(base, newCache(t, change, opts...).Wrap)}
}

type reply struct {
	status int
	body   string
	header http.Header
	cached string // Cache-Status
	resp   *http.Response
}

const pageURL = "http://api.example.com/page"

func (c *client) do(ctx context.Context, method, url, body string, header ...string) reply {
	c.t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, content)
	require.NoError(c.t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := c.rt.RoundTrip(req)
	require.NoError(c.t, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	require.NoError(c.t, resp.Body.Close())
	return reply{resp.StatusCode, string(b), resp.Header, strings.Join(resp.Header["Cache-Status"], ", "), resp}
}

func (c *client) get(header ...string) reply {
	c.t.Helper()
	return c.do(context.Background(), "GET", pageURL, "", header...)
}

const (
	firstMiss = "headgate; fwd=uri-miss; stored; ttl=60"
	freshHit  = "headgate; hit; ttl=60"
)
