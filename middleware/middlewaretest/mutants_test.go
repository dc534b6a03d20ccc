package middlewaretest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

// mutant is a stage that is broken in one way, and the check that must find it.
type mutant struct {
	name  string
	check string
	says  string // a regular expression for the check's complaint
	http2 bool
	// hangs: the check runs out of patience, so it gets little.
	hangs bool
	stage middleware.Middleware
	make  func(testing.TB) middleware.Middleware // instead of stage, where it has a state of its own
}

// trip makes a stage of one function.
func trip(f func(req *http.Request, next http.RoundTripper) (*http.Response, error)) middleware.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) { return f(req, next) })
	}
}

func TestEveryBrokenStageIsFoundByTheCheckForIt(t *testing.T) {
	for _, m := range slices.Concat(requestMutants(), responseMutants(), endMutants()) {
		t.Run(m.check+"/"+m.name, func(t *testing.T) {
			i := slices.IndexFunc(checks(), func(c check) bool { return c.name == m.check })
			require.GreaterOrEqual(t, i, 0, "there is no check %q", m.check)
			factory := m.make
			if factory == nil {
				factory = func(testing.TB) middleware.Middleware { return m.stage }
			}
			e := &env{
				variant:  variant{http2: m.http2},
				settings: settings{header: http.Header{"Cache-Control": {"no-store"}}, refusing: factory},
				factory:  factory,
				patience: 5 * time.Second,
			}
			if m.hangs {
				e.patience = 400 * time.Millisecond
			}
			failed, said := runFake(t, func(tb testing.TB) { checks()[i].verify(tb, e) })
			require.True(t, failed, "the check found nothing")
			require.Regexp(t, m.says, said)
		})
	}
}

func TestEveryCheckHasABrokenStageThatItFinds(t *testing.T) {
	for _, name := range Checks() {
		has := slices.ContainsFunc(slices.Concat(requestMutants(), responseMutants(), endMutants()),
			func(m mutant) bool { return m.check == name })
		require.True(t, has, "nothing shows that the check %s can fail", name)
	}
}

// errBroken is what broken stages say.
var errBroken = errors.New("broken")

// lease makes a stage with 64 slots that gives a slot back when settle says so.
func lease(settle func(release func(), req *http.Request, next http.RoundTripper) (*http.Response, error)) func(testing.TB) middleware.Middleware {
	return func(testing.TB) middleware.Middleware {
		slots := make(chan struct{}, rounds)
		return trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			select {
			case slots <- struct{}{}:
			case <-req.Context().Done():
				middleware.CloseBody(req)
				return nil, errors.Join(errors.New("no slot is free"), context.Cause(req.Context()))
			}
			return settle(func() { <-slots }, req, next)
		})
	}
}
