package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/examples/llm/sdks"
	"github.com/headgate-go/headgate/middleware/middlewaretest/llmtest"
	"github.com/headgate-go/headgate/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Every SDK, every failure, JSON and stream, once and always: no silent end, no
// hang, no more requests than the budget, and a reply wherever one can be had.
func TestEverySDKSurvivesEveryFailure(t *testing.T) {
	cfg, err := config("matrix")
	require.NoError(t, err)
	begin := time.Now()
	results, err := runAll(t.Context(), cells(scaled, true), cfg, scaled, 32)
	require.NoError(t, err)
	require.Greater(t, len(results), 800)
	for _, r := range results {
		t.Run(r.String(), func(t *testing.T) {
			require.Empty(t, r.problems(), "%s after %d requests and %v: %v", r.outcome, r.attempts, r.took, r.err)
		})
	}
	t.Logf("%d calls in %v", len(results), time.Since(begin).Round(time.Millisecond))
}

// Where an SDK that repeats gets a response instead of an error, the attempts are all that there are.
func TestAResponseEndsTheRepetitionsOfAnSDK(t *testing.T) {
	cfg, err := config("strict")
	require.NoError(t, err)
	var some []cell
	for _, c := range cells(scaled, true) {
		switch c.failure.Name {
		case "connection reset before headers", "hang before headers", "keep-alives for ever":
			if c.always && c.sdk.Repeats > 0 {
				some = append(some, c)
			}
		}
	}
	require.Len(t, some, 3*2*2)
	results, err := runAll(t.Context(), some, cfg, scaled, 16)
	require.NoError(t, err)
	for _, r := range results {
		require.Empty(t, r.problems(), r.String())
		require.Equal(t, attempts, r.attempts, r.String())
	}
}

// The checks must be able to fail: without Headgate they do, for every SDK.
func TestWithoutHeadgateTheyDoNot(t *testing.T) {
	var some []cell
	for _, c := range cells(scaled, false) {
		if c.failure.Name == "clean end in the middle" && c.stream {
			some = append(some, c)
		}
	}
	require.NotEmpty(t, some)
	results, err := runAll(t.Context(), some, pipeline.Config{}, scaled, 16)
	require.NoError(t, err)
	for _, r := range results {
		require.Equal(t, silent, r.outcome, r.String())
		require.NotEmpty(t, r.problems())
	}
}

func TestProblemsAreFound(t *testing.T) {
	of := func(expect llmtest.Expect, always bool) cell {
		return cell{failure: llmtest.Failure{Expect: expect}, always: always}
	}
	repeating := cell{sdk: sdks.SDK{Repeats: 2}, failure: llmtest.Failure{Expect: llmtest.ExpectRetry}, always: true}
	for _, c := range []struct {
		about string
		r     result
		want  string
	}{
		{"silent", result{cell: of(llmtest.ExpectError, false), outcome: silent, attempts: 1}, "not whole"},
		{"hung", result{cell: of(llmtest.ExpectError, false), outcome: hung, attempts: 1}, "beyond the limit"},
		{"late", result{cell: of(llmtest.ExpectError, false), outcome: failed, attempts: 1, took: time.Minute}, "beyond the limit"},
		{"too many", result{cell: of(llmtest.ExpectRetry, true), outcome: failed, attempts: 4}, "4 requests"},
		{"too many for an SDK that repeats", result{cell: repeating, outcome: failed, attempts: 6}, "6 requests"},
		{"late for an SDK that repeats", result{cell: repeating, outcome: failed, attempts: 5, took: time.Minute}, "beyond the limit"},
		{"early", result{cell: of(llmtest.ExpectRetry, false), outcome: ok, attempts: 2, early: true}, "asked for"},
		{"retried what is hopeless", result{cell: of(llmtest.ExpectRefusal, false), outcome: ok, attempts: 2}, "one request"},
		{"asked twice for nothing", result{cell: of(llmtest.ExpectReply, false), outcome: ok, attempts: 2}, "one request"},
		{"gave up too soon", result{cell: of(llmtest.ExpectRetry, false), outcome: failed, attempts: 1}, "second request"},
		{"invented", result{cell: of(llmtest.ExpectRetry, true), outcome: ok, attempts: 1}, "out of nothing"},
	} {
		t.Run(c.about, func(t *testing.T) {
			require.Len(t, c.r.problems(), 1)
			require.Contains(t, c.r.problems()[0], c.want)
		})
	}
	for _, fine := range []result{
		{cell: of(llmtest.ExpectReply, false), outcome: ok, attempts: 1},
		{cell: of(llmtest.ExpectRetry, false), outcome: ok, attempts: 2},
		{cell: of(llmtest.ExpectRetry, true), outcome: failed, attempts: 3},
		{cell: repeating, outcome: failed, attempts: 5},
		{cell: of(llmtest.ExpectRefusal, false), outcome: failed, attempts: 1},
		{cell: of(llmtest.ExpectError, false), outcome: failed, attempts: 1},
		{cell: of(llmtest.ExpectError, false), outcome: ok, attempts: 2},
	} {
		require.Empty(t, fine.problems())
	}
}

func TestTablesMergeWhatIsEqual(t *testing.T) {
	all := []row{
		{[]string{"503"}, "JSON", []string{"a"}}, {[]string{"503"}, "stream", []string{"a"}},
		{[]string{"529"}, "JSON", []string{"a"}}, {[]string{"529"}, "stream", []string{"a"}},
		{[]string{"cut"}, "JSON", []string{"a"}}, {[]string{"cut"}, "stream", []string{"b"}},
	}
	require.Equal(t, []row{
		{[]string{"503", "529"}, "both", []string{"a"}},
		{[]string{"cut"}, "JSON", []string{"a"}}, {[]string{"cut"}, "stream", []string{"b"}},
	}, merged(all))
}

func TestAPageIsRenewed(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	require.NoError(t, os.WriteFile(page, []byte("before\n<!-- matrix: how -->\nold\n<!-- /matrix -->\nafter\n"), 0o600))
	require.NoError(t, replace(page, "matrix", "new\n"))
	got, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, "before\n<!-- matrix: how -->\nnew\n<!-- /matrix -->\nafter\n", string(got))
	require.ErrorContains(t, replace(page, "other", ""), "lost the comments")
}

func TestThePageIsAboutTheseSDKs(t *testing.T) {
	page, err := os.ReadFile("../../../docs/llm-sdks.md")
	require.NoError(t, err)
	for _, sdk := range sdks.All() {
		require.Regexp(t, "(?m)^\\| "+sdk.Name+" \\|.* "+regexp.QuoteMeta(sdk.Version)+" \\|", string(page))
	}
	for _, f := range llmtest.Failures(scaled.pace) {
		require.Contains(t, string(page), f.Name, "run matrix -write")
	}
}

func TestFlags(t *testing.T) {
	var out bytes.Buffer
	require.ErrorContains(t, run(t.Context(), []string{"-at-once", "0"}, &out, &out), "-at-once")
	require.Error(t, run(t.Context(), []string{"-nonsense"}, &out, &out))
	require.ErrorContains(t, run(t.Context(), []string{"-write", "x.md", "-only", "400"}, &out, &out), "leave out -only")
}

func TestTheCommandPrintsWhatItMeasures(t *testing.T) {
	var out, problems bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-only", "400/openai-go/JSON"}, &out, &problems))
	require.Contains(t, out.String(), "| 400 | JSON | error 1 → error 1 | - | - | - | - |")
	require.Contains(t, out.String(), "| ended as they should, in all of this | 2 | 2 |")
	require.Empty(t, problems.String())
}
