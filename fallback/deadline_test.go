package fallback_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/timeout"
)

// hang never answers.
var hang = middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
})

// slow answers after d, unless the context ends before.
func slow(d time.Duration) fallback.Func {
	return func(req *http.Request, failure fallback.Failure) (*http.Response, error) {
		select {
		case <-time.After(d):
			return canned(req, failure)
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
}

// toTheEnd has no margin: the wait for the upstream ends at the deadline itself.
func toTheEnd(answers ...fallback.AnswerConfig) fallback.Config {
	cfg := with(answers...)
	cfg.Margin = 0
	return cfg
}

func within(t *testing.T, d time.Duration) *http.Request {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return get(t).WithContext(ctx)
}

func TestAfterTheCallersDeadlineOnlyInstantAnswers(t *testing.T) {
	for name, last := range map[string]fallback.AnswerConfig{"static": sorry, "instant": named("instant")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, seen := newStage(t, toTheEnd(named("slow"), last),
					fallback.WithAnswer("slow", slow(0)), fallback.WithAnswer("instant", fallback.Instant(canned)))
				start := time.Now()
				resp, err := f.Wrap(hang).RoundTrip(within(t, time.Second))
				require.NoError(t, err)
				require.Equal(t, time.Second, time.Since(start))
				require.Equal(t, name+"; reason=failure", resp.Header.Get(fallback.Header))
				require.NotEmpty(t, read(t, resp), "readable though the deadline has passed")
				require.ErrorIs(t, seen.only(t).Err, fallback.ErrNoTime)
			})
		})
	}
}

func TestAfterTheCallersDeadlineWithoutAnInstantAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, seen := newStage(t, toTheEnd(named("slow")), fallback.WithAnswer("slow", slow(0)))
		_, err := f.Wrap(hang).RoundTrip(within(t, time.Second))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, fallback.EventFailed, seen.only(t).Kind)
		require.ErrorIs(t, seen.only(t).Err, fallback.ErrNoTime)
	})
}

func TestAnAnswerHasTheTimeThatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := newStage(t, with(named("slow"), sorry), fallback.WithAnswer("slow", slow(time.Hour)))
		start := time.Now()
		resp, err := f.Wrap(respond(503, "busy")).RoundTrip(within(t, 2*time.Second))
		require.NoError(t, err)
		require.Equal(t, 1980*time.Millisecond, time.Since(start), "the margin is for the answer behind it")
		require.Equal(t, "static; reason=busy", resp.Header.Get(fallback.Header))
		require.Equal(t, `{"text":"sorry"}`, read(t, resp))
	})
}

// timeout/total stands further in: it ends the call, not the fallback.
func TestATotalTimeoutLeavesTheAnswersTheirTime(t *testing.T) {
	for _, until := range []string{timeout.UntilHeaders, timeout.UntilBody} {
		t.Run(until, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				total, err := timeout.New(timeout.Config{Limit: time.Second, Until: until})
				require.NoError(t, err)
				f, _ := newStage(t, with(named("slow"), sorry), fallback.WithAnswer("slow", slow(3*time.Second)))
				start := time.Now()
				resp, err := middleware.Chain(hang, f.Wrap, total.Wrap).RoundTrip(get(t))
				require.NoError(t, err)
				require.Equal(t, 4*time.Second, time.Since(start))
				require.Equal(t, "slow; reason=failure", resp.Header.Get(fallback.Header))
				require.Equal(t, "canned", read(t, resp))

				// A fixed answer needs no time, and no exchange of its own either.
				f, _ = newStage(t, with(sorry))
				start = time.Now()
				resp, err = middleware.Chain(hang, f.Wrap, total.Wrap).RoundTrip(get(t))
				require.NoError(t, err)
				require.Equal(t, time.Second, time.Since(start))
				require.Equal(t, `{"text":"sorry"}`, read(t, resp))
			})
		})
	}
}

// 11: a caller who gives up while an answer is made gets no other one, and nothing is counted.
func TestCancelDuringAnAnswerIsNeutral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, seen := newStage(t, with(named("slow"), sorry), fallback.WithAnswer("slow", slow(time.Hour)))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		resp, err := f.Wrap(fail(errDown)).RoundTrip(get(t).WithContext(ctx))
		require.Nil(t, resp)
		require.Same(t, errDown, err)
		require.Equal(t, time.Second, time.Since(start))
		require.Empty(t, seen.all)
		require.Equal(t, []fallback.AnswerStats{{Name: "slow"}, {Name: "static"}}, f.Stats().Answers)
	})
}
