package middleware

import "net/http"

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

// Inspect tells of req, a request of this exchange, what a stage in the chain
// knows of it. It is safe for concurrent use.
func (e *Exchange) Inspect(req *http.Request) RequestInfo {
	if c := e.call.chain; c != nil && c.inspector != nil {
		return c.inspector.Inspect(req)
	}
	return RequestInfo{}
}

// inspectorOf gives what Chain has found, nil for nothing.
func inspectorOf(rt http.RoundTripper) Inspector {
	if f, ok := rt.(*forward); ok {
		return inspectorOf(f.next)
	}
	i, _ := rt.(Inspector)
	return i
}
