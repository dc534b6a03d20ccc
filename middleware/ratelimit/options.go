package ratelimit

import (
	"net/http"

	"github.com/headgate-go/headgate/middleware"
)

// Option is a collaborator of the stage.
type Option func(*RateLimit)

// WithReporter names the stage and says who is told of its events.
func WithReporter(r middleware.Reporter) Option {
	return func(l *RateLimit) { l.reporter = r }
}

// WithKey chooses by a function which requests share a rate; it takes the place
// of the key setting.
func WithKey(key middleware.KeyFunc) Option {
	return func(l *RateLimit) { l.keyFunc = key }
}

// WithCost estimates how many units a request will take. It must be fast, is
// called concurrently, and must neither read the request's body (GetBody gives
// another one) nor change the request. Cost, given for a call, outranks it, and
// it outranks a middleware.Inspector in the chain. A request of which none says
// anything is taken to be an average one.
func WithCost(estimate func(*http.Request) int) Option {
	return func(l *RateLimit) { l.estimate = estimate }
}

// WithActual reads from a response how many units its request took, and
// whether it says so, for upstreams that tell it in the header. It must not
// touch the body; for what is in there, see Report.
func WithActual(actual func(*http.Response) (units int, ok bool)) Option {
	return func(l *RateLimit) { l.actual = actual }
}

// WithFamilies says which header fields the learn setting reads. Default
// Families.
func WithFamilies(families ...Family) Option {
	return func(l *RateLimit) { l.families = canonical(families) }
}
