package httpcache

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// RFC 9111, section 4.1; caching.md 7.
func TestRFC9111_4_1_Vary(t *testing.T) {
	for name, test := range map[string]struct {
		vary      []string
		first     http.Header
		second    http.Header
		unmatched bool
		different bool
	}{
		"no Vary matches all":                {second: http.Header{"A": {"1"}}},
		"the same value":                     {vary: []string{"A"}, first: http.Header{"A": {"1"}}, second: http.Header{"A": {"1"}, "B": {"2"}}},
		"another value":                      {vary: []string{"A"}, first: http.Header{"A": {"1"}}, second: http.Header{"A": {"2"}}, different: true},
		"absent in both":                     {vary: []string{"A"}, first: http.Header{}, second: nil},
		"absent is not empty":                {vary: []string{"A"}, first: http.Header{}, second: http.Header{"A": {""}}, different: true},
		"empty is not absent":                {vary: []string{"A"}, first: http.Header{"A": {""}}, second: http.Header{}, different: true},
		"names in any case":                  {vary: []string{"x-ABC"}, first: http.Header{"X-Abc": {"1"}}, second: http.Header{"X-Abc": {"2"}}, different: true},
		"all lines of Vary":                  {vary: []string{"A", "B"}, first: http.Header{"B": {"1"}}, second: http.Header{"B": {"2"}}, different: true},
		"a star fails":                       {vary: []string{"*"}, unmatched: true},
		"a star among others fails":          {vary: []string{"A, *"}, unmatched: true},
		"a star on a line of its own fails":  {vary: []string{"A", "*"}, unmatched: true},
		"empty members":                      {vary: []string{", A,,"}, first: http.Header{"A": {"1"}}, second: http.Header{"A": {"1"}}},
		"white space around members":         {vary: []string{"A"}, first: http.Header{"A": {"x,y"}}, second: http.Header{"A": {"x ,  y"}}},
		"several lines are one":              {vary: []string{"A"}, first: http.Header{"A": {"x, y"}}, second: http.Header{"A": {"x", "y"}}},
		"the order of members counts":        {vary: []string{"A"}, first: http.Header{"A": {"x, y"}}, second: http.Header{"A": {"y, x"}}, different: true},
		"case of a value counts":             {vary: []string{"A"}, first: http.Header{"A": {"x"}}, second: http.Header{"A": {"X"}}, different: true},
		"white space within a member counts": {vary: []string{"A"}, first: http.Header{"A": {"x y"}}, second: http.Header{"A": {"x  y"}}, different: true},
	} {
		t.Run(name, func(t *testing.T) {
			sel, ok := selectedBy(test.vary, test.first)
			require.Equal(t, !test.unmatched, ok)
			if ok {
				require.True(t, matches(sel, test.first), "the request itself")
				require.Equal(t, !test.different, matches(sel, test.second))
			}
		})
	}
}

func TestVaryIsTheSameInAnyOrder(t *testing.T) {
	h := http.Header{"A": {"1"}, "B": {"2"}}
	first, _ := selectedBy([]string{"A, b"}, h)
	second, _ := selectedBy([]string{"B", "a, A"}, h)
	require.Equal(t, first, second)
}

func FuzzVary(f *testing.F) {
	f.Add("A, b", "1, 2")
	f.Add("*", "")
	f.Add(" ,A\t", " x ")
	f.Fuzz(func(t *testing.T, vary, value string) {
		h := http.Header{"A": {value}, "X-B": {value, value}}
		sel, ok := selectedBy([]string{vary}, h)
		if ok {
			require.True(t, matches(sel, h))
			require.True(t, matches(sel, h.Clone()))
		} else {
			require.Contains(t, vary, "*")
		}
	})
}

// caching.md 7: members of fields whose case says nothing are compared without it.
func TestRFC9110_12_5_4_LanguagesInAnyCase(t *testing.T) {
	for _, name := range []string{"Accept-Language", "Accept-Encoding"} {
		sel, ok := selectedBy([]string{name}, http.Header{name: {"EN, De"}})
		require.True(t, ok)
		require.True(t, matches(sel, http.Header{name: {"en", "de"}}))
		require.False(t, matches(sel, http.Header{name: {"de", "en"}}), "the order may be a priority")
		require.False(t, matches(sel, http.Header{}))
	}
}
