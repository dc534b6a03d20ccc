package conf_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

func TestSuggest(t *testing.T) {
	keys := []string{"max_attempts", "base_delay", "max_delay", "jitter", "on", "retry_after"}
	for name, c := range map[string]struct{ word, want string }{
		"a letter missing":            {"max_attemps", "max_attempts"},
		"a letter too many":           {"jittter", "jitter"},
		"a wrong letter":              {"jitten", "jitter"},
		"two letters swapped":         {"jittre", "jitter"},
		"camel case":                  {"maxAttempts", "max_attempts"},
		"dashes":                      {"base-delay", "base_delay"},
		"upper case":                  {"JITTER", "jitter"},
		"the nearer of two":           {"max_dellay", "max_delay"},
		"a third of the letters":      {"jXtXer", "jitter"},
		"nothing near":                {"budget", ""},
		"a word of other letters":     {"xy", ""},
		"an empty word":               {"", ""},
		"only separators":             {"__", ""},
		"a word that is far too long": {strings.Repeat("x", 1000), ""},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, conf.Suggest(c.word, keys))
		})
	}
	require.Empty(t, conf.Suggest("x", nil))
	require.Empty(t, conf.Suggest("a", []string{"b", ""}), "a word without a common letter is not near")
	require.Equal(t, "ab", conf.Suggest("aa", []string{"ab", "ac"}), "the first of equals")
	require.Empty(t, conf.Suggest("x", []string{strings.Repeat("x", 100)}))
}

func TestSuggestProperties(t *testing.T) {
	word := rapid.StringMatching(`[a-z]{3,12}(_[a-z]{1,10})?`)
	t.Run("a valid word suggests itself", rapid.MakeCheck(func(t *rapid.T) {
		words := rapid.SliceOfNDistinct(word, 1, 10, func(s string) string { return strings.ReplaceAll(s, "_", "") }).Draw(t, "words")
		w := rapid.SampledFrom(words).Draw(t, "word")
		require.Equal(t, w, conf.Suggest(w, words))
	}))
	t.Run("a word with a letter missing suggests it when it is alone", rapid.MakeCheck(func(t *rapid.T) {
		w := word.Draw(t, "word")
		i := rapid.IntRange(0, len(w)-1).Draw(t, "index")
		require.Equal(t, w, conf.Suggest(w[:i]+w[i+1:], []string{w}))
	}))
	t.Run("any bytes suggest a candidate or nothing", rapid.MakeCheck(func(t *rapid.T) {
		words := rapid.SliceOf(rapid.String()).Draw(t, "words")
		got := conf.Suggest(rapid.String().Draw(t, "word"), words)
		require.True(t, got == "" || slices.Contains(words, got))
	}))
}
