package middlewaretest

import (
	"iter"
	"net/http"
	"time"
)

// Answer is what the upstream does with one request. The zero Answer is an empty 200.
//
// An answer goes out in this order: Informational, Delay, the headers, Body, Stream, Trailer. Fault breaks it off.
type Answer struct {
	// Status is the status code; 0 means 200.
	Status int
	// Header is sent as it is. Content-Length is the length of Body unless Header has its own, or the length is unknown.
	Header http.Header
	// Body is sent with its length declared, unless Chunked, Stream or Trailer make the length unknown.
	Body []byte
	// Chunked leaves the length of Body undeclared (chunked on HTTP/1.1).
	Chunked bool
	// Stream is sent after Body, chunk by chunk, each flushed. It may be endless, and must be usable more than
	// once if the script gives the same answer twice.
	Stream iter.Seq[Chunk]
	// Trailer is sent after the body. Its names are announced in the headers unless TrailerUnannounced.
	Trailer http.Header
	// TrailerUnannounced leaves out the announcement of Trailer, as many HTTP/2 servers do.
	TrailerUnannounced bool

	// Informational are 1xx answers, sent when the request's turn has come, before Delay.
	Informational []Informational
	// Delay is waited for before the headers, beyond [Config.ServiceTime], in the same slot.
	Delay time.Duration
	// IgnoreBody answers without reading the request's body; "Expect: 100-continue" is then never continued.
	// On HTTP/1.1 the upstream cannot see a client leave whose body it has not read.
	IgnoreBody bool

	// Fault is how the answer goes wrong. Default NoFault.
	Fault Fault
	// After is, for CutBody and HangBody, the number of body bytes that arrive before it; -1 means all of the
	// body, so that only its end is missing.
	After int

	// Upgrade, if not empty, switches protocols: a 101 to this protocol, then every byte is echoed until the
	// client closes. HTTP/1.1 only.
	Upgrade string
}

// Fault is a way in which an answer goes wrong.
type Fault uint8

const (
	// NoFault: the answer arrives whole.
	NoFault Fault = iota
	// Reset: the connection is reset, on HTTP/2 with all its streams, before a byte of the answer.
	// The request's body is read first unless IgnoreBody.
	Reset
	// HangHeaders: nothing is sent until the client leaves.
	HangHeaders
	// HangBody: the headers and After bytes of the body are sent, then nothing until the client leaves.
	HangBody
	// CutBody: the headers and After bytes of the body are sent, then the connection (on HTTP/2 the stream) is
	// cut although more was promised.
	CutBody
)

// Chunk is one piece of a streamed body.
type Chunk struct {
	// Wait, if not nil, is received from (a closed channel will do) before the chunk is sent.
	Wait <-chan struct{}
	// Gap is the pause before the chunk, after Wait.
	Gap time.Duration
	// Data is written and flushed. Empty data flushes only.
	Data string
}

// Informational is one 1xx answer, such as 103 Early Hints.
type Informational struct {
	Status int
	Header http.Header
}

// Text answers with a status and a plain text.
func Text(status int, body string) Answer {
	return Answer{
		Status: status,
		Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}},
		Body:   []byte(body),
	}
}

// With returns the answer with one more header; the original's Header is left as it is.
func (a Answer) With(key, value string) Answer {
	a.Header = a.Header.Clone()
	if a.Header == nil {
		a.Header = http.Header{}
	}
	a.Header.Add(key, value)
	return a
}

// Chunks is a stream of the given chunks.
func Chunks(chunks ...Chunk) iter.Seq[Chunk] {
	return func(yield func(Chunk) bool) {
		for _, c := range chunks {
			if !yield(c) {
				return
			}
		}
	}
}

// Repeat is a stream of one chunk n times, without an end if n is negative.
func Repeat(n int, chunk Chunk) iter.Seq[Chunk] {
	return func(yield func(Chunk) bool) {
		for i := 0; n < 0 || i < n; i++ {
			if !yield(chunk) {
				return
			}
		}
	}
}

// status is the status code that goes out.
func (a Answer) status() int {
	if a.Status == 0 {
		return http.StatusOK
	}
	return a.Status
}

// bodyAllowed reports whether an answer of this status may have a body (RFC 9110, section 6.4.1).
func (a Answer) bodyAllowed() bool {
	s := a.status()
	return s >= 200 && s != http.StatusNoContent && s != http.StatusNotModified
}

// holdsSlot reports whether the answer keeps its slot while it is being sent: it does if sending takes a time of its own.
func (a Answer) holdsSlot() bool {
	return a.Stream != nil || a.Upgrade != "" || a.Fault == HangBody || a.Fault == HangHeaders
}
