package fallback

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/headgate-go/headgate/middleware"
)

// givenAnswer is what WithAnswer was called with.
type givenAnswer struct {
	name   string
	answer Answer
}

// kinds are the names of the answers that configuration alone makes. A func
// can't have one of them, so that Headgate-Fallback is not ambiguous; upstream
// is kept free.
var kinds = []string{"func", "static", "stale", "upstream"}

// register checks the answers that the application gave.
func register(stage string, given []givenAnswer) (map[string]Answer, error) {
	known := make(map[string]Answer, len(given))
	var errs []error
	wrong := func(name, problem string) {
		errs = append(errs, fmt.Errorf("%s: WithAnswer(%q): %s", stage, name, problem))
	}
	for _, g := range given {
		switch _, twice := known[g.name]; {
		case !isName(g.name):
			wrong(g.name, "the name must be made of letters, digits and _ . -, and begin with a letter")
		case slices.Contains(kinds, g.name):
			wrong(g.name, "the name is taken by a kind of answer; choose another one")
		case g.answer == nil:
			wrong(g.name, "the answer is nil")
		case twice:
			wrong(g.name, "the name is given twice")
		}
		known[g.name] = g.answer
	}
	return known, errors.Join(errs...)
}

// set looks the answers of a configuration up and puts it into use.
func (f *Fallback) set(cfg Config) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &settings{cfg: cfg, plain: true}
	s.cfg.On = slices.Clone(cfg.On)
	var p middleware.Problems
	for i, a := range cfg.Answers {
		name, made := a.Func, f.known[a.Func]
		switch {
		case a.Stale != nil && f.stale == nil:
			p.Check(false, fmt.Sprintf("answers[%d].stale", i), "there is no cache to take it from; put a cache stage into the pipeline, or use WithStaleSource")
			continue
		case a.Stale != nil:
			name, made = staleName, staleAnswer{f.stale, a.Stale.MaxAge}
		case a.Static != nil:
			fixed := *a.Static
			fixed.Headers = maps.Clone(fixed.Headers)
			name, made = "static", fixed
		}
		weight := 0
		if a.Upstream != nil {
			name, made, weight = a.Upstream.Name, newUpstream(*a.Upstream), a.Upstream.Weight
			s.elsewhere = true
		}
		if made == nil {
			p.Check(false, fmt.Sprintf("answers[%d].func", i), "no answer %q was given; %s", name, f.offer())
			continue
		}
		needs := made.Needs()
		s.plain = s.plain && needs == Needs{}
		s.answers = append(s.answers, &answer{source: made, name: name, needs: needs, counts: f.countsOf(name), weight: weight})
		if weight > 0 {
			s.weights++
		}
	}
	if err := p.Err(); err != nil {
		return fmt.Errorf("%s: %w", f.reporter.Stage, err)
	}
	f.settings.Store(s)
	return nil
}

// offer tells which funcs there are.
func (f *Fallback) offer() string {
	if len(f.known) == 0 {
		return "the application gives them with WithAnswer, an option of the pipeline and of the stage"
	}
	return "there are: " + strings.Join(slices.Sorted(maps.Keys(f.known)), ", ")
}

// countsOf gives the counts of the answer with this name. mu is held. Their
// number is bounded by that of the names.
func (f *Fallback) countsOf(name string) *counts {
	if f.counts[name] == nil {
		f.counts[name] = new(counts)
	}
	return f.counts[name]
}
