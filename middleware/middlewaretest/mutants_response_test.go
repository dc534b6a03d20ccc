package middlewaretest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/headgate-go/headgate/middleware"
)

// answerMutant makes a stage that does something to each response.
func answerMutant(f func(*http.Response) (*http.Response, error)) middleware.Middleware {
	return trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		return f(resp)
	})
}

func responseMutants() []mutant {
	return []mutant{
		{name: "returns a busy response with an error", check: "response_xor_error", says: "a 503: .*exactly one",
			stage: answerMutant(func(resp *http.Response) (*http.Response, error) {
				if resp.StatusCode >= 500 {
					return resp, errBroken
				}
				return resp, nil
			})},
		{name: "returns nothing when the connection is refused", check: "response_xor_error", says: "a refused connection: .*exactly one",
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				resp, err := next.RoundTrip(req)
				if err != nil {
					return nil, nil
				}
				return resp, nil
			})},
		{name: "leaves out an empty body", check: "response_body_not_nil", says: "GET answered by 204: the response's Body is nil", http2: true,
			stage: answerMutant(func(resp *http.Response) (*http.Response, error) {
				if resp.StatusCode == http.StatusNoContent {
					resp.Body = nil
				}
				return resp, nil
			})},
		{name: "forgets the response's request", check: "response_request", says: "is nil",
			stage: answerMutant(func(resp *http.Response) (*http.Response, error) {
				resp.Request = nil
				return resp, nil
			})},
		{name: "leaves its own request in the response", check: "response_request", says: "resp.Request is for",
			stage: answerMutant(func(resp *http.Response) (*http.Response, error) {
				resp.Request = resp.Request.Clone(resp.Request.Context())
				resp.Request.URL.Path = "/elsewhere"
				return resp, nil
			})},
		{name: "loses the last byte", check: "response_bodies", says: `1048575 bytes`,
			stage: answerMutant(func(resp *http.Response) (*http.Response, error) {
				resp.Body = &closer{ReadCloser: resp.Body, Reader: io.LimitReader(resp.Body, 1<<20-1)}
				return resp, nil
			})},
		{name: "forgets the length", check: "response_bodies", says: "ContentLength is -1", http2: true,
			stage: answerMutant(func(resp *http.Response) (*http.Response, error) {
				resp.ContentLength = -1
				return resp, nil
			})},
		{name: "reads the whole response first", check: "response_streams", says: "lost its patience", hangs: true,
			stage: answerMutant(func(resp *http.Response) (*http.Response, error) {
				data, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil {
					return nil, err
				}
				resp.Body = io.NopCloser(bytes.NewReader(data))
				return resp, nil
			})},
		{name: "reads in blocks of 4 KiB", check: "response_streams", says: `chunk \d of 3`, http2: true, hangs: true,
			stage: answerMutant(func(resp *http.Response) (*http.Response, error) {
				resp.Body = &closer{ReadCloser: resp.Body, Reader: &blocks{resp.Body}}
				return resp, nil
			})},
		{name: "makes a new response without the trailer", check: "response_trailer", says: "announcement is lost",
			stage: answerMutant(func(resp *http.Response) (*http.Response, error) {
				return &http.Response{StatusCode: resp.StatusCode, Header: resp.Header, Body: resp.Body,
					ContentLength: resp.ContentLength, Request: resp.Request}, nil
			})},
		{name: "copies the response, which leaves an unannounced trailer in the original", check: "response_trailer",
			says: `announced: false\) is ""`, http2: true,
			stage: answerMutant(func(resp *http.Response) (*http.Response, error) {
				other := *resp
				return &other, nil
			})},
		{name: "takes a cut body for a whole one", check: "response_cut", says: "no error", http2: true,
			stage: answerMutant(func(resp *http.Response) (*http.Response, error) {
				resp.Body = &hooked{ReadCloser: resp.Body, after: func(err error) error {
					if err != nil {
						return io.EOF
					}
					return nil
				}}
				return resp, nil
			})},
		{name: "gives the slot back at a good end alone", check: "response_cut", says: "no slot is free", hangs: true,
			make: lease(func(release func(), req *http.Request, next http.RoundTripper) (*http.Response, error) {
				resp, err := next.RoundTrip(req)
				if err != nil {
					return nil, err
				}
				resp.Body = &hooked{ReadCloser: resp.Body, after: func(err error) error {
					if err == io.EOF {
						release()
					}
					return err
				}}
				return resp, nil
			})},
		{name: "forgets the slot of a body closed early", check: "response_close_twice", says: "no slot is free", hangs: true, http2: true,
			make: lease(func(release func(), req *http.Request, next http.RoundTripper) (*http.Response, error) {
				once := sync.OnceFunc(release)
				resp, err := next.RoundTrip(req)
				if err != nil {
					once()
					return nil, err
				}
				resp.Body = &hooked{ReadCloser: resp.Body, after: func(err error) error {
					if err != nil {
						once()
					}
					return err
				}}
				return resp, nil
			})},
		{name: "panics at the second Close", check: "response_close_twice", says: "panicked: close of closed channel",
			stage: answerMutant(func(resp *http.Response) (*http.Response, error) {
				done := make(chan struct{})
				resp.Body = &hooked{ReadCloser: resp.Body, closing: func() { close(done) }}
				return resp, nil
			})},
		{name: "cancels its context when RoundTrip returns", check: "context_until_body_end", says: "context canceled",
			stage: cancelsAtReturn()},
		{name: "cancels its context when RoundTrip returns, HTTP/2", check: "context_until_body_end", says: "context canceled",
			http2: true, stage: cancelsAtReturn()},
		{name: "hides that the body can be written to", check: "upgrade", says: "want 101 with an io.ReadWriteCloser",
			stage: answerMutant(func(resp *http.Response) (*http.Response, error) {
				resp.Body = &hooked{ReadCloser: resp.Body}
				return resp, nil
			})},
		{name: "makes a 200 of a 204", check: "no_content", says: "status 200, want 204",
			stage: answerMutant(func(resp *http.Response) (*http.Response, error) {
				resp.StatusCode = http.StatusOK
				return resp, nil
			})},
		{name: "keeps CloseIdleConnections to itself", check: "close_idle_connections", says: "still open", hangs: true,
			stage: func(next http.RoundTripper) http.RoundTripper {
				return middleware.RoundTripperFunc(next.RoundTrip)
			}},
		{name: "gives one caller another's answer", check: "concurrent", says: "the answer is", make: givesTheFirstAnswer},
	}
}

// blocks reads only whole blocks.
type blocks struct{ inner io.Reader }

func (b *blocks) Read(p []byte) (int, error) { return io.ReadFull(b.inner, p) }

// hooked is a body with hooks.
type hooked struct {
	io.ReadCloser
	after   func(error) error
	closing func()
}

func (h *hooked) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	if h.after != nil {
		err = h.after(err)
	}
	return n, err
}

func (h *hooked) Close() error {
	if h.closing != nil {
		h.closing()
	}
	return h.ReadCloser.Close()
}

func cancelsAtReturn() middleware.Middleware {
	return trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		ctx, cancel := context.WithCancel(req.Context())
		defer cancel()
		return next.RoundTrip(req.WithContext(ctx))
	})
}

func givesTheFirstAnswer(testing.TB) middleware.Middleware {
	var mu sync.Mutex
	var first []byte
	return answerMutant(func(resp *http.Response) (*http.Response, error) {
		data, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		if first == nil {
			first = data
		}
		resp.Body = io.NopCloser(bytes.NewReader(first))
		return resp, nil
	})
}
