package middleware

import (
	"fmt"
	"io"
	"net/http"
)

// watchedBody is a response's body whose end is the end of an exchange.
type watchedBody struct {
	rc io.ReadCloser
	ex *Exchange
}

// watchedUpgrade is the body of a 101 response, which is a connection: it can be written to.
type watchedUpgrade struct {
	*watchedBody
	io.Writer
}

// CloseWrite closes the connection for writing, as the bodies of net/http do.
func (u watchedUpgrade) CloseWrite() error {
	if c, ok := u.Writer.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return fmt.Errorf("CloseWrite: %w", http.ErrNotSupported)
}

func (b *watchedBody) asReadCloser() io.ReadCloser {
	if w, ok := b.rc.(io.Writer); ok {
		return watchedUpgrade{b, w}
	}
	return b
}

func innerBody(rc io.ReadCloser) (*Exchange, bool) {
	switch b := rc.(type) {
	case *watchedBody:
		return b.ex, true
	case watchedUpgrade:
		return b.ex, true
	}
	return nil, false
}

// Read reads from the body. After a limit or the caller's context ended the
// exchange, it fails with that cause, also over a body that does not know contexts.
func (b *watchedBody) Read(p []byte) (int, error) {
	if b.ex.flags.has(ended) {
		if err := b.ex.brokenBy(); err != nil {
			return 0, err
		}
	}
	n, err := b.ex.read(b.rc, p)
	switch {
	case err == io.EOF:
		b.ex.end(End{Outcome: b.ex.decision()})
	case err != nil:
		b.ex.endAborted(err)
		if cause := b.ex.brokenBy(); cause != nil {
			err = cause
		}
	}
	return n, err
}

// Close closes the body and settles the exchange. Closing early is the
// caller's right and says nothing about the upstream.
func (b *watchedBody) Close() error {
	err := b.rc.Close()
	b.ex.end(End{Outcome: b.ex.decision()})
	return err
}

// CloseBody closes a request's body, as a RoundTripper must on every path,
// also when it refuses the request.
func CloseBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
