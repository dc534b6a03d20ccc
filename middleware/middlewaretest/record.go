package middlewaretest

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"time"
)

// Request is the record of one request that the upstream saw.
type Request struct {
	// Number counts the upstream's requests from 1.
	Number int
	// At is when it arrived.
	At time.Time
	// Method, Target (path and query), Host and Proto ("HTTP/2.0") as they arrived.
	Method, Target, Host, Proto string
	// Header as it arrived. Trailer once the body has been read to its end, else nil.
	Header, Trailer http.Header
	// ContentLength as declared, -1 if unknown.
	ContentLength int64
	// RemoteAddr tells connections apart.
	RemoteAddr string
	// Body as far as it was read. It is complete once BodyComplete.
	Body RequestBody
	// BodyComplete: the body was read to its end.
	BodyComplete bool
	// Status of the answer begun, 0 if there was none (yet).
	Status int
}

// RequestBody is what is kept of a request's body.
type RequestBody struct {
	// Length in bytes of what was read.
	Length int64
	// SHA256 of what was read, in hexadecimal.
	SHA256 string
	// Start is its beginning, at most Config.KeepBodyBytes long.
	Start []byte
}

// Requests returns the last requests seen, at most Config.KeepRequests, the oldest first. What belongs to a
// body or to an answer is there once the request is over.
func (u *Upstream) Requests() []Request {
	u.rec.mu.Lock()
	defer u.rec.mu.Unlock()
	ring := u.rec.requests
	out := make([]Request, 0, len(ring))
	for i := range ring {
		out = append(out, *ring[(u.rec.next+i)%len(ring)])
	}
	return out
}

// arrive counts a request and begins its record.
func (r *recorder) arrive(in *http.Request) *Request {
	seen := &Request{}
	if r.cfg.KeepRequests > 0 {
		seen = &Request{
			At:     time.Now(),
			Method: in.Method, Target: in.URL.RequestURI(), Host: in.Host, Proto: in.Proto,
			Header: in.Header.Clone(), ContentLength: in.ContentLength, RemoteAddr: in.RemoteAddr,
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Requests++
	seen.Number = r.stats.Requests
	if r.cfg.CallHeader != "" {
		r.stats.count(in.Header.Get(r.cfg.CallHeader), r.cfg.MaxCalls)
	}
	switch {
	case r.cfg.KeepRequests == 0:
	case len(r.requests) < r.cfg.KeepRequests:
		r.requests = append(r.requests, seen)
	default:
		r.requests[r.next] = seen
		r.next = (r.next + 1) % len(r.requests)
	}
	r.wake()
	return seen
}

// body reads a request's body and keeps what the record needs. One goroutine reads it.
type body struct {
	io.ReadCloser
	rec      *recorder
	hash     hash.Hash
	length   int64
	start    []byte
	complete bool
}

func newBody(inner io.ReadCloser, rec *recorder) *body {
	return &body{ReadCloser: inner, rec: rec, hash: sha256.New()}
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.hash.Write(p[:n])
		b.length += int64(n)
		b.start = append(b.start, p[:min(n, b.rec.cfg.KeepBodyBytes-len(b.start))]...)
		b.rec.update(func(s *Stats) { s.BodyBytes += int64(n) })
	}
	if err == io.EOF {
		b.complete = true
	}
	return n, err
}

// finish completes the record of a request that is over.
func (r *recorder) finish(seen *Request, in *http.Request, b *body, end ending) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cfg.KeepRequests > 0 {
		seen.Body = RequestBody{Length: b.length, SHA256: hex.EncodeToString(b.hash.Sum(nil)), Start: b.start}
		seen.BodyComplete = b.complete
		if b.complete {
			seen.Trailer = in.Trailer.Clone()
		}
	}
	switch end {
	case answered:
		r.stats.Answered++
	case abandoned:
		r.stats.Abandoned++
	case faulted:
		r.stats.Faulted++
	}
	r.wake()
}

// begin counts the status of an answer.
func (r *recorder) begin(seen *Request, status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen.Status = status
	r.stats.Status[status]++
	r.wake()
}
