package timeout

import (
	"errors"
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// bound is a limit in use. Its error doubles as the limit's identity and is
// shared by all calls, so that a limit costs no allocation.
type bound struct {
	stage *Timeout
	err   Error
}

// set begins the limit, lift ends it.
func (b *bound) set(ex *middleware.Exchange, from time.Time) { ex.Limit(from.Add(b.err.Limit), &b.err) }
func (b *bound) lift(ex *middleware.Exchange)                { ex.Limit(time.Time{}, &b.err) }

// reached tells whether it was this limit that ended the exchange.
func (b *bound) reached(ex *middleware.Exchange) bool { return ex.Cause() == error(&b.err) }

func (b *bound) headers(ex *middleware.Exchange, req *http.Request, next http.RoundTripper, now time.Time) (*http.Response, error) {
	b.set(ex, now)
	resp, err := next.RoundTrip(req)
	b.lift(ex)
	if b.reached(ex) {
		return nil, b.late(ex, resp, err)
	}
	return resp, err
}

func (b *bound) body(ex *middleware.Exchange, req *http.Request, next http.RoundTripper, now time.Time) (*http.Response, error) {
	b.set(ex, now)
	resp, err := next.RoundTrip(req)
	if err == nil {
		ex.OnEnd(b, 0)
	} else if b.reached(ex) {
		err = b.late(ex, nil, err)
	}
	return resp, err
}

// late gives the error of an answer that did not come before the limit. A
// refusal by a stage that the request waited in says more than "timeout" does.
func (b *bound) late(ex *middleware.Exchange, resp *http.Response, err error) error {
	b.stage.report(ex, b)
	if resp != nil {
		_ = resp.Body.Close()
	}
	if errors.Is(err, middleware.ErrRejected) {
		return err
	}
	return &b.err
}

// Settle reports a body that did not come before the limit.
func (b *bound) Settle(_ uint64, end middleware.End) {
	if b.reached(end.Exchange) {
		b.stage.report(end.Exchange, b)
	}
}
