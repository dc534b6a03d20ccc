package llm

import (
	"net/http"
	"sync/atomic"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/internal/keyed"
)

// The kinds of the stage's events.
const (
	// EventDisguised: an error came as a success and was given its real status. Outcome is what it meant.
	EventDisguised = "disguised"
	// EventEmpty: a success had no answer in it.
	EventEmpty = "empty"
	// EventCut: an answer ended before it was complete.
	EventCut = "cut"
	// EventFailed: an answer had an error in the middle. Outcome is what it meant.
	EventFailed = "failed"
	// EventUsage: an answer told what it took. The attributes are the tokens:
	// input, cached, output, and wasted if nobody read the answer to its end.
	EventUsage = "usage"
)

// LLM is the stage.
type LLM struct {
	settings atomic.Pointer[settings]
	reporter middleware.Reporter
	requests *paths
	counts   *keyed.Map[counts]
}

// Option is a collaborator of the stage.
type Option func(*LLM)

// WithReporter names the stage and says who is told of its events.
func WithReporter(r middleware.Reporter) Option {
	return func(l *LLM) { l.reporter = r }
}

// New makes the stage.
func New(cfg Config, opts ...Option) (*LLM, error) {
	if err := middleware.Validate("llm", cfg); err != nil {
		return nil, err
	}
	l := &LLM{requests: newRequestPaths()}
	for _, o := range opts {
		o(l)
	}
	l.reporter = l.reporter.Named("llm")
	l.settings.Store(newSettings(cfg))
	l.counts = keyed.New(cfg.MaxKeys, func(key string) *counts { return &counts{key: key} }, func(*counts) bool { return true })
	return l, nil
}

// Update changes the settings for the calls that begin from now on. MaxKeys
// stays as it was made. An invalid configuration changes nothing.
func (l *LLM) Update(cfg Config) error {
	if err := middleware.Validate(l.reporter.Stage, cfg); err != nil {
		return err
	}
	l.settings.Store(newSettings(cfg))
	return nil
}

// Wrap is a middleware.Middleware. What it returns is a middleware.Inspector.
func (l *LLM) Wrap(next http.RoundTripper) http.RoundTripper { return &roundTripper{l, next} }

type roundTripper struct {
	stage *LLM
	next  http.RoundTripper
}

// Inspect tells the tokens that a request will take, as an estimate, and whether it asks for a stream.
func (t *roundTripper) Inspect(req *http.Request) middleware.RequestInfo {
	return t.stage.settings.Load().inspect(t.stage.requests, req)
}

func (t *roundTripper) CloseIdleConnections() { middleware.CloseIdleConnections(t.next) }

func (t *roundTripper) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	ex, inner := middleware.Join(req)
	defer ex.Leave(req, &resp, &err)
	l, cfg := t.stage, t.stage.settings.Load()
	info := t.Inspect(inner)
	key := middleware.Model(inner)
	c := &call{stage: l, cfg: cfg, provider: cfg.of(inner), ex: ex, req: inner, info: info, key: key, counts: l.counts.Get(key)}
	c.counts.requests.Add(1)
	resp, err = t.next.RoundTrip(inner)
	if err != nil {
		return nil, err
	}
	return c.answer(resp)
}
