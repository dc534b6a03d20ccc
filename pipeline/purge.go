package pipeline

import (
	"context"
	"errors"
	"net/http"
	"slices"
)

// Purger is a stage that keeps answers and forgets them when it is told to, as
// httpcache.Cache does.
type Purger interface {
	// Purge forgets what is kept for the request, of which the URL is enough
	// unless its content is the key. It closes the request's body and sends nothing.
	Purge(req *http.Request) error
	// PurgePrefix forgets what is kept of all URLs that begin with prefix.
	PurgePrefix(ctx context.Context, prefix string) error
	// PurgeTags forgets what was stored with at least one of the tags.
	PurgeTags(ctx context.Context, tags ...string) error
}

var _ Purger = (*Pipeline)(nil)

// Purge forgets what the pipeline's cache keeps for the request; see
// httpcache.Cache.Purge for what that promises. Without a cache in the order there
// is nothing to forget, and no error: an environment may have switched it off.
// With several, a body needs GetBody.
func (p *Pipeline) Purge(req *http.Request) error {
	return p.eachPurger(func(s Purger, last bool) error {
		if last || req.Body == nil {
			return s.Purge(req)
		}
		if req.GetBody == nil {
			return errors.New("purge: the body is asked for by several stages; give the request a GetBody")
		}
		body, err := req.GetBody()
		if err != nil {
			return err
		}
		again := *req
		again.Body = body
		return s.Purge(&again)
	})
}

// PurgePrefix forgets all URLs that begin with prefix; see httpcache.Cache.PurgePrefix.
func (p *Pipeline) PurgePrefix(ctx context.Context, prefix string) error {
	return p.eachPurger(func(s Purger, _ bool) error { return s.PurgePrefix(ctx, prefix) })
}

// PurgeTags forgets what was stored with one of the tags; see httpcache.Cache.PurgeTags.
func (p *Pipeline) PurgeTags(ctx context.Context, tags ...string) error {
	return p.eachPurger(func(s Purger, _ bool) error { return s.PurgeTags(ctx, tags...) })
}

// eachPurger tells all stages that keep answers, the innermost first: one further
// out would else be filled again with what the inner one still has.
func (p *Pipeline) eachPurger(purge func(s Purger, last bool) error) error {
	var all []Purger
	for _, s := range slices.Backward(p.current.Load().stages) {
		if s.purger != nil {
			all = append(all, s.purger)
		}
	}
	var errs []error
	for i, s := range all {
		errs = append(errs, purge(s, i == len(all)-1))
	}
	return p.wrap(errors.Join(errs...))
}
