package hedge

import (
	"context"
	"net/http"

	"github.com/headgate-go/headgate/middleware"
)

var allow = middleware.NewOption[bool]("hedge: allow")

// Allow says of the calls made with the context that it returns that a copy may
// be sent whatever their method: the upstream may process both.
func Allow(ctx context.Context) context.Context { return allow.With(ctx, true) }

// repeatable tells whether a copy of the request can be sent and does no harm.
func repeatable(ex *middleware.Exchange, req *http.Request, cfg *Config) bool {
	switch {
	case req.Body != nil && req.Body != http.NoBody && req.GetBody == nil && (req.ContentLength < 0 || req.ContentLength > int64(cfg.ReplayBuffer)):
		return false // the copy, or even the first attempt, could run out of the recording
	case req.Trailer != nil:
		return false // it is filled while one of the bodies is read
	case len(req.Header["Upgrade"]) > 0:
		return false // a connection is not safe to ask for twice, whatever the method
	}
	switch req.Method {
	// The safe methods of RFC 9110, section 9.2.1, that a client sends; QUERY is RFC 10008.
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, "QUERY":
		return true
	}
	if cfg.NonIdempotent {
		return true
	}
	yes, _ := allow.Of(ex)
	return yes
}
