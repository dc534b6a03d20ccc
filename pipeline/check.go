package pipeline

import (
	"github.com/headgate-go/headgate/middleware/timeout"
	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

// contradictions finds settings that are right one by one and wrong together:
// a timeout within another one that ends first can never be reached.
func contradictions(p *plan, cfg Config) []error {
	var errs []error
	for i, inner := range cfg.Order {
		in, ok := cfg.Stages[inner].(timeout.Config)
		if !ok {
			continue
		}
		for _, outer := range cfg.Order[:i] {
			out, ok := cfg.Stages[outer].(timeout.Config)
			if ok && out.Validate() == nil && !in.Reachable(out) { // what is wrong by itself is told already
				errs = append(errs, p.writtenLimit(inner, outer).KeyErrorf(
					"the %v of %s can never be reached within the %v of %s", in.Limit, inner, out.Limit, outer))
			}
		}
	}
	return errs
}

// writtenLimit is where the pipeline itself, and nothing that it extends, sets
// the limit of one of the stages: there the mistake was made.
func (p *plan) writtenLimit(ids ...string) *conf.Node {
	for _, id := range ids {
		if n := p.own[id].node.Get("limit"); n != nil {
			return n
		}
	}
	return p.at
}
