package main

import (
	"bytes"
	"context"
	"flag"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stages are the ids of a chain, as Pipeline.String has printed it.
func stages(t *testing.T, output, pipeline string) []string {
	t.Helper()
	_, chain, found := strings.Cut("\n"+output, "\n"+pipeline+": at most ")
	require.True(t, found, output)
	var ids []string
	for _, line := range regexp.MustCompile(`(?m)^  (\S+)`).FindAllStringSubmatch(strings.Split(chain, "\n\n")[0], -1) {
		ids = append(ids, line[1])
	}
	return ids
}

func TestDevelopmentAnswersWithTheFallback(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, "", &out))
	got := out.String()

	require.Equal(t, []string{"timeout/total", "retry", "semaphore", "base"}, stages(t, got, "search"))
	require.Contains(t, got, "deepseek: at most 2 upstream requests a call")
	require.Contains(t, got, "The assistant is busy, please come back in a minute.\n  (Headgate-Fallback: static; reason=busy)")
	require.Equal(t, 1, strings.Count(got, "\nA headgate lets in"), "the second time the LLM answers")
	require.Contains(t, got, "requests: 4 to the LLM, 2 to the search")
}

func TestProductionGoesOnUntilThereIsAnAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		env  string
	}{
		"by APP_ENV":                 {nil, "production"},
		"by the flag":                {[]string{"-env", "production"}, ""},
		"the flag overrules APP_ENV": {[]string{"-env", "production"}, "development"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, run(t.Context(), tt.args, tt.env, &out))
			got := out.String()

			require.Equal(t, []string{"cache", "timeout/total", "retry", "circuit_breaker", "semaphore", "base"}, stages(t, got, "search"))
			require.Contains(t, got, "deepseek: at most 4 upstream requests a call")
			require.Equal(t, 2, strings.Count(got, "\nA headgate lets in"))
			require.NotContains(t, got, "Headgate-Fallback")
			require.Contains(t, got, "Cache-Status: headgate; hit")
			require.Contains(t, got, "requests: 5 to the LLM, 1 to the search")
		})
	}
}

func TestAnEnvironmentWithoutAnOverlayIsAnErrorBeforeAnythingStarts(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), []string{"-env", "staging"}, "", &out)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "http.staging.yaml")
	require.Empty(t, out.String())
}

func TestACallerThatLosesPatienceEndsIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	begun := time.Now()
	var out bytes.Buffer
	err := run(ctx, nil, "", &out)
	require.True(t, err == nil || strings.Contains(err.Error(), context.Canceled.Error()), err)
	require.Less(t, time.Since(begun), 10*time.Second)
}

func TestHelp(t *testing.T) {
	require.ErrorIs(t, run(t.Context(), []string{"-h"}, "", &bytes.Buffer{}), flag.ErrHelp)
}
