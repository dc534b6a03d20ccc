package middlewaretest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// patience is how long a check waits for what must come. Only a check that fails waits so long.
const patience = 10 * time.Second

// Run checks that the stages that factory makes keep the contract of http.RoundTripper and of Headgate, each
// check as a subtest with a fresh stage, over real loopback connections: alone on HTTP/1.1, and in a
// [middleware.Chain] on HTTP/1.1 and HTTP/2.
//
// Give the stage room for 64 calls at once but no more than 64 slots, so that a slot lost in each of 64 rounds
// shows; and thresholds that 100 failures or cancels in a row do not reach. What it starts, it stops in
// tb.Cleanup. Run watches for goroutines left behind: don't call it from a parallel test.
func Run(t *testing.T, factory func(tb testing.TB) middleware.Middleware, opts ...Option) {
	t.Helper()
	s, err := newSettings(opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			if reason, skip := s.without[c.name]; skip {
				t.Skip("without, because ", reason)
			}
			if c.refusing && s.refusing == nil {
				return // said by Refuses alone
			}
			for _, v := range c.variants() {
				t.Run(v.String(), func(t *testing.T) {
					c.verify(t, &env{variant: v, settings: s, factory: factory, patience: patience})
				})
			}
		})
	}
}

// Checks returns the names of all checks, for [Without], in the order in which Run runs them.
func Checks() []string {
	var names []string
	for _, c := range checks() {
		names = append(names, c.name)
	}
	return names
}

// Option changes what Run checks.
type Option func(*settings)

type settings struct {
	header   http.Header // on every answer
	without  map[string]string
	refusing func(testing.TB) middleware.Middleware
}

func newSettings(opts []Option) (settings, error) {
	s := settings{header: http.Header{"Cache-Control": {"no-store"}}, without: make(map[string]string)}
	for _, o := range opts {
		o(&s)
	}
	var errs []error
	for name, reason := range s.without {
		switch {
		case !slices.Contains(Checks(), name):
			errs = append(errs, fmt.Errorf("middlewaretest: Without(%q): there is no such check; there are %s", name, strings.Join(Checks(), ", ")))
		case reason == "":
			errs = append(errs, fmt.Errorf("middlewaretest: Without(%q): want a reason", name))
		}
	}
	return s, errors.Join(errs...)
}

// Without leaves out a check that the stage breaks by design, and says why. See [Checks] for the names.
func Without(check, reason string) Option {
	return func(s *settings) { s.without[check] = reason }
}

// Refuses also runs the check "refusal", with a stage that refuses every call: an open breaker, a full queue.
func Refuses(factory func(tb testing.TB) middleware.Middleware) Option {
	return func(s *settings) { s.refusing = factory }
}

// AnswerHeader sets a header on every answer of the suite's upstream. By default there is one,
// "Cache-Control: no-store"; with "max-age=60" instead a cache has to store what it passes on.
func AnswerHeader(key, value string) Option {
	return func(s *settings) { s.header.Set(key, value) }
}
