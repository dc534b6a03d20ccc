package middlewaretest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/headgate-go/headgate/middleware"
)

func requestMutants() []mutant {
	return []mutant{
		{name: "sets a header on the caller's request", check: "request_unmodified", says: "Header's contents changed",
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				req.Header.Set("X-Stage", "was here")
				return next.RoundTrip(req)
			})},
		{name: "replaces the caller's header map", check: "request_unmodified", says: "Header changed",
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				req.Header = req.Header.Clone()
				return next.RoundTrip(req)
			})},
		{name: "rewrites the caller's URL", check: "request_unmodified", says: "URL's contents changed",
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				req.URL.RawQuery += "&stage=1"
				return next.RoundTrip(req)
			})},
		{name: "leaves its own body in the caller's request", check: "request_unmodified", says: "Body changed", http2: true,
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				if req.Body != nil {
					req.Body = &closer{ReadCloser: req.Body}
				}
				return next.RoundTrip(req)
			})},
		{name: "leaves its own context in the caller's request", check: "request_unmodified", says: "context changed",
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				*req = *req.WithContext(context.WithValue(req.Context(), closer{}, 1))
				return next.RoundTrip(req)
			})},
		{name: "forgets the headers", check: "request_arrives", says: "the upstream saw Authorization",
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				out := req.WithContext(req.Context())
				out.Header = http.Header{}
				return next.RoundTrip(out)
			})},
		{name: "forgets the host", check: "request_arrives", says: "for 127.0.0.1",
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				out := req.WithContext(req.Context())
				out.Host = ""
				return next.RoundTrip(out)
			})},
		{name: "sends every request twice", check: "request_arrives", says: "2 requests, want 1",
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				if resp, err := next.RoundTrip(req); err == nil {
					_ = resp.Body.Close()
				}
				again := req.WithContext(req.Context())
				again.Body, _ = req.GetBody()
				return next.RoundTrip(again)
			})},
		{name: "cuts the request's body at 64 KiB", check: "request_bodies", says: "a body of 1048576 bytes",
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				if req.Body == nil {
					return next.RoundTrip(req)
				}
				out := req.WithContext(req.Context())
				out.Body = &closer{ReadCloser: req.Body, Reader: io.LimitReader(req.Body, 64<<10)}
				out.ContentLength = -1
				return next.RoundTrip(out)
			})},
		{name: "returns early and leaves the body open", check: "request_body_closed", says: "after a deadline before the call .*0 of 1",
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				if err := req.Context().Err(); err != nil {
					return nil, err
				}
				return next.RoundTrip(req)
			}), hangs: true},
		{name: "sends a copy of the body and leaves the original open", check: "request_body_closed", says: "after a success", http2: true,
			stage: buffersRequest(false), hangs: true},
		{name: "leaves open what GetBody gave", check: "request_body_closed", says: `GetBody: true\): 1 of 2`, hangs: true,
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				if req.GetBody != nil {
					_, _ = req.GetBody()
				}
				return next.RoundTrip(req)
			})},
		{name: "reads the request's body before it sends", check: "request_streams", says: "before more is written", hangs: true,
			stage: buffersRequest(true)},
		{name: "clones the request with its trailer", check: "request_trailer", says: `the body is "trailer: "`,
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				return next.RoundTrip(req.Clone(req.Context()))
			})},
		{name: "takes a request only once", check: "request_reusable", says: "broken", make: takesOnce},
		{name: "drops the expectation", check: "expect_continue", says: `got Expect ""`, http2: true,
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				out := req.Clone(req.Context())
				out.Header.Del("Expect")
				return next.RoundTrip(out)
			})},
		{name: "sends a HEAD as a GET", check: "head", says: "unexpected EOF|1234 bytes|the body is",
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				out := req.WithContext(req.Context())
				out.Method = http.MethodGet
				return next.RoundTrip(out)
			})},
		{name: "drops the caller's condition", check: "not_modified", says: "status 200, ETag",
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				resp, err := next.RoundTrip(req)
				if err == nil && resp.StatusCode == http.StatusNotModified {
					resp.StatusCode = http.StatusOK
				}
				return resp, err
			})},
		{name: "sends with a context of its own", check: "informational", says: `1xx answers \[\]`, http2: true,
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				return next.RoundTrip(req.WithContext(context.Background()))
			})},
	}
}

// closer reads from Reader, if there is one, and closes ReadCloser.
type closer struct {
	io.ReadCloser
	io.Reader
}

func (c *closer) Read(p []byte) (int, error) {
	if c.Reader != nil {
		return c.Reader.Read(p)
	}
	return c.ReadCloser.Read(p)
}

func buffersRequest(closes bool) middleware.Middleware {
	return trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		if req.Body == nil {
			return next.RoundTrip(req)
		}
		data, err := io.ReadAll(req.Body)
		if closes {
			_ = req.Body.Close()
		}
		if err != nil {
			return nil, err
		}
		out := req.WithContext(req.Context())
		out.Body = io.NopCloser(bytes.NewReader(data))
		return next.RoundTrip(out)
	})
}

func takesOnce(testing.TB) middleware.Middleware {
	var seen sync.Map
	return trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		if _, again := seen.LoadOrStore(req, true); again {
			return nil, errors.Join(errBroken)
		}
		return next.RoundTrip(req)
	})
}
