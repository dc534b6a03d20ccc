package middleware

import "net/http"

// Middleware puts one stage in front of next. It is called once, when the
// chain is built; the RoundTripper that it returns is called for every request
// and must be safe for concurrent use, as next is.
type Middleware func(next http.RoundTripper) http.RoundTripper

// RoundTripperFunc lets a function be an http.RoundTripper. A stage that is
// used outside a Chain should be built with Forward instead, which keeps
// CloseIdleConnections working.
type RoundTripperFunc func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f RoundTripperFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Forward makes a RoundTripper of a function and hands CloseIdleConnections on
// to next, which http.Client.CloseIdleConnections needs. It is what a stage's
// Wrap returns.
func Forward(next http.RoundTripper, roundTrip RoundTripperFunc) http.RoundTripper {
	return &forward{RoundTripperFunc: roundTrip, next: next}
}

type forward struct {
	RoundTripperFunc
	next http.RoundTripper
}

func (f *forward) CloseIdleConnections() { CloseIdleConnections(f.next) }

// CloseIdleConnections closes the idle connections of rt if it can.
func CloseIdleConnections(rt http.RoundTripper) {
	if c, ok := rt.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// Chain puts the stages m in front of base, the first one outermost, and makes
// one Exchange for each call, which all of them share. A nil base means
// http.DefaultTransport, a nil stage is left out, and without stages Chain is
// the base itself.
func Chain(base http.RoundTripper, m ...Middleware) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	c, stages := &chain{head: base, base: base}, 0
	for i := len(m) - 1; i >= 0; i-- {
		if m[i] != nil {
			c.head = m[i](c.head)
			stages++
			if found := inspectorOf(c.head); found != nil && c.inspector == nil {
				c.inspector = found
			}
		}
	}
	if stages == 0 {
		return base
	}
	return c
}

type chain struct {
	head      http.RoundTripper
	base      http.RoundTripper
	alarms    alarms
	inspector Inspector // of the stage next to the wire that is one; may be nil
}

func (c *chain) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	ex, inner := begin(req, c)
	defer ex.Leave(req, &resp, &err)
	return c.head.RoundTrip(inner)
}

// CloseIdleConnections reaches the base even past a stage that does not forward it.
func (c *chain) CloseIdleConnections() { CloseIdleConnections(c.base) }
