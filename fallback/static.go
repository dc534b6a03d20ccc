package fallback

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/headgate-go/headgate/middleware"
)

// Static is a fixed response. It never fails and needs no time. As a value it
// is also a short way for a Func to make a response.
type Static struct {
	// Status is the status code, from 200 to 599; 204 and 304 have no body. No default.
	Status int `yaml:"status"`
	// Headers are the response's header fields. Default none; without a
	// Cache-Control, no-store is added.
	Headers map[string]string `yaml:"headers"`
	// Body is the response's body. Default none.
	Body string `yaml:"body"`
}

// framing are the fields that follow from the response or belong to the stage.
var framing = []string{"Connection", "Content-Length", Header, "Trailer", "Transfer-Encoding"}

func (s *Static) validate(p *middleware.Problems, key string) {
	p.Check(s.Status >= 200 && s.Status <= 599, key+".status", "%d is no final status code; write for example 200 or 503", s.Status)
	p.Check(s.Body == "" || !bodiless(s.Status), key+".body", "a response with status %d has no body; leave it out or take 200", s.Status)
	seen := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		field := key + ".headers[" + strconv.Quote(name) + "]"
		canonical := http.CanonicalHeaderKey(name)
		p.Check(isToken(name), field, "it is not the name of a header field (RFC 9110, section 5.1)")
		p.Check(isFieldValue(s.Headers[name]), field, "the value holds a control character; leave it out")
		p.Check(!seen[canonical], field, "the field is there twice, spelt differently; names don't depend on the case")
		seen[canonical] = true
		p.Check(!slices.Contains(framing, canonical), field, "the stage sets it; leave it out")
	}
}

// bodiless are the statuses whose responses end with the headers (RFC 9110, section 6.4.1).
func bodiless(status int) bool {
	return status < 200 || status == http.StatusNoContent || status == http.StatusNotModified
}

// Response makes a new response to req, with a body of its own. To a HEAD
// request it has the length of the body, and none.
func (s Static) Response(req *http.Request) *http.Response {
	resp := &http.Response{
		StatusCode: s.Status,
		Header:     make(http.Header, len(s.Headers)+3),
		Body:       http.NoBody,
		Request:    req,
	}
	for name, value := range s.Headers {
		resp.Header.Set(name, value)
	}
	if bodiless(s.Status) {
		return resp
	}
	resp.ContentLength = int64(len(s.Body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(s.Body)))
	if s.Body != "" && req.Method != http.MethodHead {
		resp.Body = &staticBody{text: strings.NewReader(s.Body)}
	}
	return resp
}

// Answer gives the response.
func (s Static) Answer(req *http.Request, _ Failure) (*http.Response, error) {
	return s.Response(req), nil
}

// Needs asks for nothing.
func (s Static) Needs() Needs { return Needs{} }

// staticBody reads the text that all responses share.
type staticBody struct {
	text   *strings.Reader
	closed atomic.Bool
}

func (b *staticBody) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.text.Read(p)
}

func (b *staticBody) Close() error {
	b.closed.Store(true)
	return nil
}
