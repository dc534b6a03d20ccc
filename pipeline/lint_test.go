package pipeline_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/pipeline"
)

func TestLint(t *testing.T) {
	for _, test := range []struct {
		order string
		want  string
	}{
		{"retry fallback", "retry stands outside fallback: every attempt is answered by the fallback"},
		{"circuit_breaker fallback", "circuit_breaker stands outside fallback: what the breaker refuses"},
		{"rate_limit fallback", "rate_limit stands outside fallback: what the rate limit refuses"},
		{"semaphore fallback", "semaphore stands outside fallback: what the semaphore refuses"},
		{"retry cache", "retry stands outside cache: a hit passes through the retry stage"},
		{"circuit_breaker cache", "circuit_breaker stands outside cache: an open breaker refuses what the cache could answer"},
		{"rate_limit cache", "rate_limit stands outside cache: a hit costs a token"},
		{"semaphore cache", "semaphore stands outside cache: a hit takes a permit"},
		{"circuit_breaker retry", "circuit_breaker stands outside retry: the breaker sees calls and not attempts"},
		{"rate_limit retry", "rate_limit stands outside retry: retries pay no token"},
		{"semaphore retry", "semaphore stands outside retry: a permit is held during the backoff"},
		{"rate_limit circuit_breaker", "rate_limit stands outside circuit_breaker: a refusal by the breaker costs a token"},
		{"semaphore circuit_breaker", "semaphore stands outside circuit_breaker: a refusal by the breaker waits for a permit"},
		{"semaphore rate_limit", "semaphore stands outside rate_limit: a permit is held while the request waits for its token"},
	} {
		t.Run(test.order, func(t *testing.T) {
			order := strings.Fields(test.order)
			p := build(t, pipeline.Config{Order: order}, ok)
			require.Len(t, p.Warnings(), 1)
			require.Equal(t, "order", p.Warnings()[0].Path)
			require.Contains(t, p.Warnings()[0].Message, test.want)

			order[0], order[1] = order[1]+"/named", order[0]+"/named"
			p = build(t, pipeline.Config{Order: order}, ok)
			require.Empty(t, p.Warnings(), "the other way round it is right")
		})
	}
}

func TestLintNamesStagesByTheirIDs(t *testing.T) {
	p := build(t, pipeline.Config{Order: []string{"semaphore/a", "semaphore/b", "retry/c"}}, ok)
	require.Len(t, p.Warnings(), 2)
	require.Contains(t, p.Warnings()[0].String(), "order: semaphore/a stands outside retry/c")
	require.Contains(t, p.Warnings()[1].String(), "order: semaphore/b stands outside retry/c")
}

func TestWorstCase(t *testing.T) { // requirement 31
	attempts := func(n int) map[string]any { return map[string]any{"max_attempts": n} }
	for _, test := range []struct {
		name string
		cfg  pipeline.Config
		want string
		warn string
	}{
		{"no stage that repeats", pipeline.Config{Order: []string{"semaphore"}}, "at most 1 upstream", ""},
		{"one retry", pipeline.Config{Order: []string{"retry"}, Stages: map[string]any{"retry": attempts(5)}}, "at most 5 upstream", ""},
		{
			"of two retries the inner one repeats nothing",
			pipeline.Config{Order: []string{"retry/a", "retry/b"}, Stages: map[string]any{"retry/a": attempts(5), "retry/b": attempts(4)}},
			"at most 5 upstream", "retry/b stands within retry/a, which repeats the call: it makes one attempt and never repeats",
		},
		{
			"a retry that makes one attempt is in nobody's way",
			pipeline.Config{Order: []string{"retry/a", "retry/b"}, Stages: map[string]any{"retry/a": attempts(5), "retry/b": attempts(1)}},
			"at most 5 upstream", "",
		},
		{
			"more than a number can hold",
			pipeline.Config{Order: []string{"retry", "hedge"}, Stages: map[string]any{"retry": attempts(math.MaxInt)}},
			"at most 9223372036854775807 upstream", "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := build(t, test.cfg, ok)
			require.Contains(t, p.String(), test.want)
			if test.warn == "" {
				require.Empty(t, p.Warnings())
				return
			}
			require.Contains(t, p.Warnings()[0].Message, test.warn)
		})
	}
}

func TestWorstCaseOfACustomStage(t *testing.T) {
	r := registry(t, probing("probe", new(journal), func(_ probe, s *pipeline.Stage[probe]) {
		s.Attempts = func(c probe) int { return c.Count }
		s.Update = func(probe) {}
	}))
	p, err := r.New("api", pipeline.Config{Order: []string{"probe/none", "probe/two"}, Stages: map[string]any{"probe/two": probe{Count: 2}}}, pipeline.WithBase(ok))
	require.NoError(t, err)
	require.Contains(t, p.String(), "at most 2 upstream requests", "0 counts as 1")
	require.NoError(t, p.Reload(t.Context(), pipeline.Config{Order: []string{"probe/two"}, Stages: map[string]any{"probe/two": probe{Count: 6}}}))
	require.Contains(t, p.String(), "at most 6 upstream requests", "with the settings in use")
}

func TestAttemptsOfACustomStageMultiply(t *testing.T) {
	r := registry(t, probing("probe", new(journal), func(_ probe, s *pipeline.Stage[probe]) {
		s.Attempts = func(c probe) int { return c.Count }
	}))
	p, err := r.New("api", pipeline.Config{Order: []string{"retry", "probe"}, Stages: map[string]any{"probe": probe{Count: 2}}}, pipeline.WithBase(ok))
	require.NoError(t, err)
	require.Len(t, p.Warnings(), 1)
	require.Contains(t, p.Warnings()[0].Message, "attempts multiply: one call can make 6 upstream requests")
}
