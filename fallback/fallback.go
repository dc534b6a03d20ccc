package fallback

import (
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/headgate-go/headgate/middleware"
)

// The kinds of the stage's events. Both carry the attribute reason.
const (
	// EventFellBack: an answer was given; the attribute answer is which. Err is
	// the original error, if there was one, and those of the answers that failed
	// before; if there are any of these, the level is warn.
	EventFellBack = "fell_back"
	// EventFailed: no answer could be given. Err is the original error, if there
	// was one, and those of the answers.
	EventFailed = "failed"
)

// Fallback is the stage.
type Fallback struct {
	settings atomic.Pointer[settings]
	reporter middleware.Reporter
	given    []givenAnswer
	stale    middleware.StaleSource // nil if there is none
	known    map[string]Answer

	failed  atomic.Uint64
	reasons reasonCounts
	away    away

	mu     sync.Mutex // serialises updates
	counts map[string]*counts
}

// settings are a configuration with its answers looked up.
type settings struct {
	cfg     Config
	answers []*answer
	plain   bool // no answer needs time or the request's body

	elsewhere bool // an answer is another upstream
	weights   int  // answers with a weight
}

// answer is an answer in its place.
type answer struct {
	source Answer
	name   string
	needs  Needs
	counts *counts
	weight int
}

// Option is a collaborator of the stage.
type Option func(*Fallback)

// WithReporter names the stage and says who is told of its events.
func WithReporter(r middleware.Reporter) Option {
	return func(f *Fallback) { f.reporter = r }
}

// WithAnswer gives the stage an answer that the configuration can put into its
// order, as func: name. An answer that is not configured is not used.
func WithAnswer(name string, a Answer) Option {
	return func(f *Fallback) { f.given = append(f.given, givenAnswer{name, a}) }
}

// New makes the stage. A func in the configuration that no WithAnswer has given
// is an error.
func New(cfg Config, opts ...Option) (*Fallback, error) {
	if err := middleware.Validate("fallback", cfg); err != nil {
		return nil, err
	}
	f := &Fallback{counts: make(map[string]*counts)}
	for _, o := range opts {
		o(f)
	}
	f.reporter = f.reporter.Named("fallback")
	known, err := register(f.reporter.Stage, f.given)
	if err != nil {
		return nil, err
	}
	f.known = known
	if err := f.set(cfg); err != nil {
		return nil, err
	}
	return f, nil
}

// Update changes the settings for the calls that begin from now on; the
// statistics go on. An invalid configuration, also one that names a func that
// New was not given, changes nothing.
func (f *Fallback) Update(cfg Config) error {
	if err := middleware.Validate(f.reporter.Stage, cfg); err != nil {
		return err
	}
	return f.set(cfg)
}

// Wrap is a middleware.Middleware.
func (f *Fallback) Wrap(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
		return f.roundTrip(req, next)
	})
}

func (f *Fallback) roundTrip(req *http.Request, next http.RoundTripper) (resp *http.Response, err error) {
	s := f.settings.Load()
	if len(s.answers) == 0 {
		return next.RoundTrip(req)
	}
	ex, inner := middleware.Join(req)
	defer ex.Leave(req, &resp, &err)

	if s.plain {
		s.keepMargin(ex)
		resp, err = next.RoundTrip(inner)
		s.endMargin(ex)
		o := ex.Outcome(resp, err)
		if reason := reasonOf(o, err); s.actsOn(reason) {
			c := &call{f: f, s: s, ex: ex, caller: req, req: inner, next: next}
			return c.answer(resp, o, err, reason)
		}
		return resp, err
	}
	c := &call{
		f: f, s: s, ex: ex, caller: req, req: inner, next: next,
		bodies: &bodies{replay: middleware.NewReplay(inner, s.cfg.ReplayBuffer)},
	}
	defer c.bodies.release()
	key := middleware.Model(inner)
	if s.elsewhere {
		if x, gone := f.away.of(key); gone {
			if given := c.give(nil, x.what, nil, x.reason); given != nil {
				return given, nil
			}
			c.elsewhere = true
		}
	}
	resp, o, err := c.attempt()
	ex.Decide(o)
	if reason := reasonOf(o, err); s.actsOn(reason) {
		if s.elsewhere {
			f.away.note(key, o, reason, s.cfg.MaxAway)
		}
		return c.answer(resp, o, err, reason)
	}
	return resp, err
}
