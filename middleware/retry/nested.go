package retry

import (
	"context"
	"net/http"

	"github.com/headgate-go/headgate/middleware"
)

// A retry stage within an attempt of another one must not multiply the
// attempts. Three things see to that, and none costs a first attempt that
// succeeds anything. Within one chain the exchange says it, and the stage
// further in makes one attempt. A stage that gave up says so (DontRepeat,
// X-Should-Retry, ErrGaveUp), and those further out repeat nothing then. And
// from its second attempt on a stage marks the context, for pipelines and calls
// within: they let such requests pass.

// within is the context of a marked attempt: that of its exchange, with a mark
// that goes through pipelines within pipelines too. It is a single pointer, so
// making one allocates nothing.
type within struct{ *middleware.Exchange }

type withinKey struct{}

// Value gives the exchange for the mark, else what the exchange has.
func (w within) Value(key any) any {
	if key == (withinKey{}) {
		return w.Exchange
	}
	return w.Exchange.Value(key)
}

// mark makes req, the attempt's own copy, carry the mark.
func mark(req *http.Request, attempt *middleware.Exchange) {
	*req = *req.WithContext(within{attempt})
}

// nested tells whether ctx belongs to an attempt of another retry stage that is still on.
func nested(ctx context.Context) bool {
	attempt, ok := ctx.Value(withinKey{}).(*middleware.Exchange)
	return ok && middleware.FromContext(attempt) != nil
}
