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

// repeatable tells whether sending the request again can do no harm. An
// upstream that asks for a repetition knows what it did with the request.
func repeatable(ex *middleware.Exchange, req *http.Request, o middleware.Outcome, cfg *Config) bool {
	if o.Processing == middleware.NeverSent || o.Processing == middleware.Unprocessed || cfg.NonIdempotent ||
		o.Advice == middleware.Repeat || idempotentMethod(req.Method) || hasKey(req.Header) {
		return true
	}
	yes, _ := idempotent.Of(ex)
	return yes
}

// failed tells whether another attempt is to be thought of: the verdict
// suggests it, or the upstream itself does. There is nothing to gain where an
// answer is as it should be.
func failed(o middleware.Outcome) bool {
	switch o.Verdict {
	case middleware.Pushback, middleware.Busy, middleware.Failure:
		return true
	case middleware.Invalid, middleware.Exhausted:
		return o.Advice == middleware.Repeat
	}
	return false
}

// free tells whether a retry is not the budget's business: after a 429 with a
// hint the upstream is not overloaded, and it has named the time to come back.
func free(o middleware.Outcome) bool { return o.Verdict == middleware.Pushback && o.Hinted }
