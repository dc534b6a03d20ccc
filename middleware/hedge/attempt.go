package hedge

import (
	"bytes"
	"errors"
	"io"
	"math"
	"net/http"
	"runtime"

	"github.com/headgate-go/headgate/middleware"
)

// attempt is one of the requests of a race, and what came of it.
type attempt struct {
	ex      *middleware.Exchange
	number  int // 1 is the first, the others are copies
	outcome middleware.Outcome
	resp    *http.Response
	err     error
	unsent  bool // there was no body to send, or no need any more

	died     bool // it panicked; or, without a value, its goroutine was ended
	panicked any
}

// good tells whether there is nothing better to wait for.
func (a *attempt) good() bool {
	v := a.outcome.Verdict
	return v.Healthy() || v == middleware.Exhausted
}

// refused tells whether nothing of it went upstream.
func (a *attempt) refused() bool {
	return a.unsent || errors.Is(a.err, middleware.ErrRejected)
}

// keep reads a failed answer's body into memory, at most limit bytes of it, and
// closes it, so that it holds no connection and no slot while it waits. false:
// it is longer, and still as it came.
func (a *attempt) keep(limit middleware.Bytes) bool {
	if a.resp == nil || a.resp.Body == nil || a.resp.Body == http.NoBody {
		return true
	}
	body := a.resp.Body
	limit = min(limit, math.MaxInt64-1)
	head, err := io.ReadAll(io.LimitReader(body, int64(limit)+1))
	if int64(len(head)) > int64(limit) {
		a.resp.Body = &unread{Reader: io.MultiReader(bytes.NewReader(head), body), Closer: body}
		return false
	}
	_ = body.Close()
	a.resp.Body = io.NopCloser(bytes.NewReader(head))
	if err != nil {
		a.resp, a.err = nil, err
	}
	return true
}

// unread gives back what was read of a body.
type unread struct {
	io.Reader
	io.Closer
}

// discard closes what nobody will read.
func (a *attempt) discard() {
	if a.resp != nil && a.resp.Body != nil {
		_ = a.resp.Body.Close()
	}
}

// rethrow ends the caller's goroutine as that of the attempt has ended.
func (a *attempt) rethrow() {
	if a.panicked == nil {
		runtime.Goexit()
	}
	panic(a.panicked)
}
