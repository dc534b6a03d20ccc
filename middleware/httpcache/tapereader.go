package httpcache

import (
	"context"
	"io"
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
	resp   *http.Response // a follower's own, which gets the trailer

	// Guarded by tape.mu.
	tape   *tape // nil until the answer is there, and if it is not shared
	off    int64
	closed bool
	cause  error // why it was closed, if the caller did not close it
	behind bool
	more   chan struct{} // there may be something to read
}

var (
	_ io.ReadCloser      = (*tapeReader)(nil)
	_ middleware.Settler = (*tapeReader)(nil)
)

// Read gives what is there, or waits for it.
func (r *tapeReader) Read(p []byte) (int, error) {
	for {
		n, ok, err := r.tape.read(r, p)
		if !ok {
			<-r.more
			continue
		}
		if err == io.EOF && r.resp != nil && len(r.tape.trailer) > 0 {
			r.resp.Trailer = r.tape.trailer.Clone()
		}
		return n, err
	}
}

// Close gives up the caller's part. The others read on.
func (r *tapeReader) Close() error {
	r.leave(context.Canceled, nil)
	return nil
}

// Settle is called when the caller's exchange is over, also when its context
// ended and the body was never closed.
func (r *tapeReader) Settle(_ uint64, end middleware.End) {
	err := context.Canceled
	switch end.Outcome.Reason {
	case middleware.ReasonDeadline, middleware.ReasonTimeout:
		err = context.DeadlineExceeded
	}
	r.leave(err, end.Err)
}

// leave ends the caller's part, once. err is what the upstream request ends
// with if this was the last one, cause what reading fails with from now on.
func (r *tapeReader) leave(err, cause error) {
	if r.left.Swap(true) {
		return
	}
	if r.tape != nil {
		r.tape.detach(r, cause)
	}
	r.flight.leave(err)
}
