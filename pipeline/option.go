package pipeline

import (
	"net/http"

	"github.com/eko/gocache/lib/v4/store"
	"go.uber.org/zap"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
)

// Option is something that a pipeline works with.
type Option func(*options)

type options struct {
	base      http.RoundTripper
	logger    *zap.Logger
	observers observers
	stores    map[string]store.StoreInterface
	answers   map[string]fallback.Answer
}

// WithBase sets what the last stage sends requests with. Without it, or with
// nil, that is a transport.Transport of the pipeline's own, which Stop closes;
// a base that is handed in stays open.
func WithBase(base http.RoundTripper) Option { return func(o *options) { o.base = base } }

// WithLogger has events and warnings logged. Default: not at all.
func WithLogger(log *zap.Logger) Option {
	return func(o *options) {
		if log != nil {
			o.logger = log
		}
	}
}

// WithObserver adds somebody who is told of the stages' events.
func WithObserver(obs middleware.Observer) Option {
	return func(o *options) {
		if obs != nil {
			o.observers = append(o.observers, obs)
		}
	}
}

// WithStore hands in a store that configuration can name; it comes before one of
// the same name in the configuration, and stays the caller's to stop. "memory" is
// taken: it is a cache's own.
func WithStore(name string, s store.StoreInterface) Option {
	return func(o *options) { o.stores[name] = s }
}

// WithAnswer hands in an answer that a fallback can name in its configuration,
// as func: name.
func WithAnswer(name string, a fallback.Answer) Option {
	return func(o *options) { o.answers[name] = a }
}
