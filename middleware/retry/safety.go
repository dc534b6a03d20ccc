package retry

import (
	"context"
	"net/http"

	"github.com/headgate-go/headgate/middleware"
)

var idempotent = middleware.NewOption[bool]("retry: idempotent")

// Idempotent says of the calls made with the context that it returns that they
// may be repeated, whatever their method: processing one twice does no harm.
func Idempotent(ctx context.Context) context.Context { return idempotent.With(ctx, true) }

// repeatable tells whether sending the request again can do no harm.
func repeatable(ex *middleware.Exchange, req *http.Request, o middleware.Outcome, cfg *Config) bool {
	if o.Processing == middleware.NeverSent || o.Processing == middleware.Unprocessed || cfg.NonIdempotent {
		return true
	}
	switch req.Method {
	// RFC 9110, section 9.2.2; QUERY is RFC 10008.
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete, "QUERY":
		return true
	}
	for _, name := range [...]string{"Idempotency-Key", "X-Idempotency-Key"} {
		if len(req.Header[name]) > 0 {
			return true
		}
	}
	yes, _ := idempotent.Of(ex)
	return yes
}

// worthwhile tells whether another attempt may end better.
func worthwhile(v middleware.Verdict) bool {
	return v == middleware.Pushback || v == middleware.Busy || v == middleware.Failure
}
