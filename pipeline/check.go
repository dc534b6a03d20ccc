package pipeline

import (
	"github.com/headgate-go/headgate/middleware"
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
			if ok && in.Limit > out.Limit && (out.Until == timeout.UntilBody || in.Until == timeout.UntilHeaders) {
				errs = append(errs, conf.Locate(p.written(inner), &middleware.ConfigError{
					Name:    "limit",
					Problem: in.Limit.String() + " can never be reached within the " + out.Limit.String() + " of " + outer,
				})...)
			}
		}
	}
	return errs
}

// written is where the settings of a stage were written.
func (p *plan) written(id string) *conf.Node {
	var n *conf.Node
	for _, l := range p.layers[id] {
		if l.node != nil {
			n = conf.Merge(n, l.node)
		}
	}
	if n == nil {
		n = goNode("stages."+id, "")
	}
	return n
}
