package middleware

import (
	"net/http"
	"net/url"
)

// RequestInfo is what can be told of a request before it is sent. The zero
// value says nothing.
type RequestInfo struct {
	// Units is an estimate of what the request will take of a budget, tokens of a
	// language model for example; 0 if it is not known.
	Units int
	// Stream says that the answer is asked for as a stream.
	Stream bool
}

// Inspector is a stage's RoundTripper that can tell of a request before it is
// sent. A provider stage is one. Chain finds it, and every stage of the chain
// can ask through the exchange. Inspect is called concurrently; it must neither
// read the request's body (GetBody gives another one) nor change the request.
type Inspector interface {
	Inspect(*http.Request) RequestInfo
}

// inspected is what was told of the requests to a URL: a stage that sends the
// call elsewhere changes that.
type inspected struct {
	url  *url.URL
	info RequestInfo
}

// Inspect tells of req, a request of this exchange, what a stage in the chain
// knows of it. It looks at a call's request once. It is safe for concurrent use.
func (e *Exchange) Inspect(req *http.Request) RequestInfo {
	c := e.call
	if c.inspector == nil {
		return RequestInfo{}
	}
	if known := c.inspected.Load(); known != nil && known.url == req.URL {
		return known.info
	}
	info := c.inspector.Inspect(req)
	c.inspected.Store(&inspected{req.URL, info})
	return info
}

// inspectorOf gives what Chain has found, nil for nothing.
func inspectorOf(rt http.RoundTripper) Inspector {
	if f, ok := rt.(*forward); ok {
		return inspectorOf(f.next)
	}
	i, _ := rt.(Inspector)
	return i
}
