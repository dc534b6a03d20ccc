package httpcache

import (
	"context"
	"io"
	"maps"
	"net/http"
	"sync/atomic"

	"github.com/headgate-go/headgate/middleware"
)

// tapeReader is one caller's part in a flight: it waits for the answer, and
// then it is the body of that caller's response.
type tapeReader struct {
	flight *flight
	header http.Header // of the caller's request, for Vary
	leader bool
	left   atomic.Bool
	turn   chan struct{}  // room for one: the answer is there, or the caller's context has ended
	resp   *http.Response // the caller's own, which gets the trailer

	// Guarded by tape.mu.
	tape   *tape // nil until the answer is there, and if it is not shared
	off    int64
	closed bool
	cause  error // why it was closed, if the caller did not close it
	behind bool
}

// wake has the caller look again.
func (r *tapeReader) wake() {
	select {
	case r.turn <- struct{}{}:
	default: // it will
	}
}

var (
	_ io.ReadCloser      = (*tapeReader)(nil)
	_ middleware.Settler = (*tapeReader)(nil)
)

// Read gives what is there, or waits for it.
func (r *tapeReader) Read(p []byte) (int, error) {
	n, err := r.tape.read(r, p)
	if err == io.EOF && len(r.tape.trailer) > 0 {
		if r.resp.Trailer == nil {
			r.resp.Trailer = make(http.Header, len(r.tape.trailer))
		}
		maps.Copy(r.resp.Trailer, r.tape.trailer.Clone()) // into the map, which copies of the response share
	}
	return n, err
}

// Close gives up the caller's part. The others read on; after the last one the
// upstream's body is closed, also while it is being read: that is how a transport
// gets a blocked read back.
func (r *tapeReader) Close() error {
	if !r.left.Swap(true) {
		if r.tape != nil && r.tape.detach(r, nil) {
			_ = r.tape.src.Close()
		}
		r.flight.leave(context.Canceled, nil)
	}
	return nil
}

// Settle is called when the caller's exchange is over, also when its context
// ended and the body was not closed. If this was the last one, the upstream's
// exchange ends in the same way, and its body is closed only then: a close would
// have said that the caller was content.
func (r *tapeReader) Settle(_ uint64, end middleware.End) {
	if r.left.Swap(true) {
		return
	}
	err := context.Canceled
	switch end.Outcome.Reason {
	case middleware.ReasonDeadline, middleware.ReasonTimeout:
		err = context.DeadlineExceeded
	}
	last := r.tape != nil && r.tape.detach(r, end.Err)
	r.flight.leave(err, end.Exchange.Cause())
	if last {
		r.flight.closeWhenOver(r.tape.src)
	}
}

// leave ends the part of a caller who has no body to read.
func (r *tapeReader) leave() {
	if !r.left.Swap(true) {
		r.flight.leave(context.Canceled, nil)
	}
}
