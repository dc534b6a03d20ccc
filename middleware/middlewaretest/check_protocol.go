package middlewaretest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"
	"testing"

	"github.com/headgate-go/headgate/middleware"
)

// upgrade: the body of a 101 is the connection, to read and to write.
func upgrade(tb testing.TB, e *env) {
	r := e.rig(tb, Always(Answer{Upgrade: "echo"}))
	for range rounds {
		req := r.request(r.context(), http.MethodGet, nil)
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "echo")
		resp := r.must(req)
		both, ok := resp.Body.(io.ReadWriteCloser)
		if resp.StatusCode != http.StatusSwitchingProtocols || !ok {
			_ = resp.Body.Close()
			tb.Fatalf("status %d with a body of type %T, want 101 with an io.ReadWriteCloser", resp.StatusCode, resp.Body)
		}
		for i := range 2 {
			ping := fmt.Appendf(nil, "ping %d", i)
			if _, err := both.Write(ping); err != nil {
				tb.Fatalf("writing to the upgraded connection: %v", err)
			}
			echo := make([]byte, len(ping))
			if _, err := io.ReadFull(both, echo); err != nil || !bytes.Equal(echo, ping) {
				tb.Fatalf("the upgraded connection answered %q, %v, want %q", echo, err, ping)
			}
		}
		_ = both.Close()
	}
	r.works(rounds)
}

// informational: 1xx answers reach the caller's trace.
func informational(tb testing.TB, e *env) {
	answer := normal()
	answer.Informational = []Informational{{Status: http.StatusEarlyHints, Header: http.Header{"Link": {"</style.css>; rel=preload"}}}}
	r := e.rig(tb, Always(answer))
	var mu sync.Mutex
	var seen []string
	ctx := httptrace.WithClientTrace(r.context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, fmt.Sprint(code, " ", h.Get("Link")))
			return nil
		},
	})
	r.wants(r.must(r.request(ctx, http.MethodGet, nil)), normal().Body)
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 1 || seen[0] != "103 </style.css>; rel=preload" {
		tb.Errorf("the trace saw the 1xx answers %q, want the upstream's 103 with its Link", seen)
	}
}

// expectContinue: with "Expect: 100-continue" the body is sent when the upstream wants it, and not when it refuses.
func expectContinue(tb testing.TB, e *env) {
	data := pattern(64 << 10)
	send := func(r *rig, ctx context.Context, body io.Reader) *http.Response {
		req := r.request(ctx, http.MethodPost, body)
		req.Header.Set("Expect", "100-continue")
		return r.must(req)
	}

	r := e.rig(tb, digest())
	continued := make(chan struct{}, 1)
	trace := &httptrace.ClientTrace{Got100Continue: func() { continued <- struct{}{} }}
	r.wants(send(r, httptrace.WithClientTrace(r.context(), trace), bytes.NewReader(data)), []byte(digestOf(data)))
	select {
	case <-continued:
	default:
		tb.Errorf("the body was sent without a 100 Continue")
	}

	tap := &expectTap{}
	r = e.rig(tb, Always(Answer{Status: http.StatusExpectationFailed, IgnoreBody: true}), tap.wrap)
	resp := send(r, r.context(), bytes.NewReader(data))
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusExpectationFailed {
		tb.Errorf("status %d, want the upstream's 417", resp.StatusCode)
	}
	tap.mu.Lock()
	defer tap.mu.Unlock()
	if tap.expect != "100-continue" || tap.read > 0 {
		tb.Errorf("the transport got Expect %q and read %d bytes of a body that the upstream refused, want \"100-continue\" and 0",
			tap.expect, tap.read)
	}
}

// expectTap sees which expectation reaches the transport, and how much of the body the transport reads.
type expectTap struct {
	mu     sync.Mutex
	expect string
	read   int
}

func (t *expectTap) wrap(next http.RoundTripper) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		t.mu.Lock()
		t.expect = req.Header.Get("Expect")
		t.mu.Unlock()
		tapped := req.WithContext(req.Context())
		tapped.Body = &tappedBody{ReadCloser: req.Body, tap: t}
		return next.RoundTrip(tapped)
	})
}

type tappedBody struct {
	io.ReadCloser
	tap *expectTap
}

func (b *tappedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.tap.mu.Lock()
	b.tap.read += n
	b.tap.mu.Unlock()
	return n, err
}

// head: the answer to a HEAD has the length of a body that it does not have.
func head(tb testing.TB, e *env) {
	r := e.rig(tb, Always(Answer{Header: http.Header{"Content-Length": {"1234"}, "Etag": {`"v1"`}}}))
	resp := r.must(r.request(r.context(), http.MethodHead, nil))
	if resp.StatusCode != http.StatusOK || resp.ContentLength != 1234 || resp.Header.Get("ETag") != `"v1"` {
		tb.Errorf("status %d, ContentLength %d, ETag %s, want 200, 1234, \"v1\"", resp.StatusCode, resp.ContentLength, resp.Header.Get("ETag"))
	}
	r.wants(resp, nil)
}

// noContent: a 204 stays one.
func noContent(tb testing.TB, e *env) {
	r := e.rig(tb, Always(Answer{Status: http.StatusNoContent}))
	resp := r.must(r.request(r.context(), http.MethodDelete, nil))
	if resp.StatusCode != http.StatusNoContent {
		tb.Errorf("status %d, want 204", resp.StatusCode)
	}
	r.wants(resp, nil)
}

// notModified: the 304 to the caller's own condition is the caller's.
func notModified(tb testing.TB, e *env) {
	r := e.rig(tb, Always(Answer{Status: http.StatusNotModified, Header: http.Header{"Etag": {`"v1"`}}}))
	req := r.request(r.context(), http.MethodGet, nil)
	req.Header.Set("If-None-Match", `"v1"`)
	resp := r.must(req)
	if resp.StatusCode != http.StatusNotModified || resp.Header.Get("ETag") != `"v1"` {
		tb.Errorf("status %d, ETag %s, want 304, \"v1\"", resp.StatusCode, resp.Header.Get("ETag"))
	}
	r.wants(resp, nil)
}

// closeIdleConnections: http.Client.CloseIdleConnections reaches the transport.
func closeIdleConnections(tb testing.TB, e *env) {
	r := e.rig(tb, Always(normal()))
	r.wants(r.must(r.request(r.context(), http.MethodGet, nil)), normal().Body)
	client := &http.Client{Transport: r.rt}
	if !r.closesIdle(client.CloseIdleConnections) {
		tb.Errorf("the idle connection is still open after CloseIdleConnections")
	}
}
