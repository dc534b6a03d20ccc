package middleware

import "context"

var priority = NewOption[int]("priority")

// WithPriority says how much the calls made with the context that it returns
// matter to stages in which requests wait: higher goes first. 0 is what a call
// has that says nothing; background work is negative.
func WithPriority(ctx context.Context, p int) context.Context { return priority.With(ctx, p) }

// Priority is the call's priority, 0 if the caller gave none.
func (e *Exchange) Priority() int {
	p, _ := priority.Of(e)
	return p
}
