package httpcache

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// RFC 9110, section 5.6.7; caching.md 3.
func TestRFC9110_5_6_7_Date(t *testing.T) {
	at := time.Date(1994, 11, 6, 8, 49, 37, 0, time.UTC)
	for name, test := range map[string]struct {
		s    string
		want time.Time
	}{
		"IMF-fixdate":                     {"Sun, 06 Nov 1994 08:49:37 GMT", at},
		"RFC 850":                         {"Sunday, 06-Nov-94 08:49:37 GMT", at},
		"asctime":                         {"Sun Nov  6 08:49:37 1994", at},
		"asctime, two digits":             {"Wed Nov 16 08:49:37 1994", at.AddDate(0, 0, 10)},
		"the wrong day's name":            {"Mon, 06 Nov 1994 08:49:37 GMT", at},
		"RFC 850, 50 years ahead":         {"Sunday, 06-Nov-76 08:49:37 GMT", time.Date(2076, 11, 6, 8, 49, 37, 0, time.UTC)},
		"RFC 850, more than 50 years":     {"Sunday, 06-Nov-77 08:49:37 GMT", time.Date(1977, 11, 6, 8, 49, 37, 0, time.UTC)},
		"a number":                        {s: "0"},
		"minus one":                       {s: "-1"},
		"empty":                           {s: ""},
		"two spaces":                      {s: "Sun, 06  Nov 1994 08:49:37 GMT"},
		"no space after the comma":        {s: "Sun,06 Nov 1994 08:49:37 GMT"},
		"a leading space":                 {s: " Sun, 06 Nov 1994 08:49:37 GMT"},
		"a trailing space":                {s: "Sun, 06 Nov 1994 08:49:37 GMT "},
		"a one-digit hour":                {s: "Sun, 06 Nov 1994 8:49:37 GMT"},
		"a one-digit day":                 {s: "Sun, 6 Nov 1994 08:49:37 GMT"},
		"two digits of a year":            {s: "Sun, 06 Nov 94 08:49:37 GMT"},
		"UTC":                             {s: "Sun, 06 Nov 1994 08:49:37 UTC"},
		"another zone":                    {s: "Sun, 06 Nov 1994 08:49:37 AEST"},
		"an offset":                       {s: "Sun, 06 Nov 1994 08:49:37 +0100"},
		"no zone":                         {s: "Sun, 06 Nov 1994 08:49:37"},
		"the month in capitals":           {"Sun, 06 NOV 1994 08:49:37 GMT", at},
		"the zone in small letters":       {"Sun, 06 Nov 1994 08:49:37 gmt", at},
		"the day in small letters":        {"sun, 06 Nov 1994 08:49:37 GMT", at},
		"dashes in an IMF-fixdate":        {s: "Sun, 06-Nov-1994 08:49:37 GMT"},
		"dots instead of colons":          {s: "Sun, 06 Nov 1994 08.49.37 GMT"},
		"no seconds":                      {s: "Sun, 06 Nov 1994 08:49 GMT"},
		"fractions of a second":           {s: "Sun, 06 Nov 1994 08:49:37.5 GMT"},
		"a day that does not exist":       {s: "Sun, 31 Nov 1994 08:49:37 GMT"},
		"an hour that does not exist":     {s: "Sun, 06 Nov 1994 24:49:37 GMT"},
		"RFC 3339":                        {s: "1994-11-06T08:49:37Z"},
		"garbage after the date":          {s: "Sun, 06 Nov 1994 08:49:37 GMT; foo"},
		"asctime with one space too few":  {s: "Sun Nov 6 08:49:37 1994"},
		"RFC 850 with a year in full":     {s: "Sunday, 06-Nov-1994 08:49:37 GMT"},
		"RFC 850 with the day's name cut": {s: "Sun, 06-Nov-94 08:49:37 GMT"},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := parseDate(test.s, noon)
			require.Equal(t, !test.want.IsZero(), ok)
			require.True(t, got.Equal(test.want), "got %v", got)
		})
	}
}

// The quick way takes every date in the form that is sent, and nothing that the strict one refuses.
func TestFixdateIsTheSameDate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(-62e9, 253e9).Draw(t, "seconds"), 0).UTC()
		s := at.Format(http.TimeFormat)
		got, ok := parseFixdate(s)
		require.True(t, ok, s)
		require.True(t, at.Equal(got), s)

		damaged := []byte(s)
		damaged[rapid.IntRange(0, len(s)-1).Draw(t, "place")] = rapid.SampledFrom([]byte("0123456789 :,-GMTJanb")).Draw(t, "byte")
		got, ok = parseFixdate(string(damaged))
		strict, err := time.Parse(http.TimeFormat, string(damaged))
		if ok {
			require.NoError(t, err, "%s", damaged)
			require.True(t, strict.Equal(got), "%s", damaged)
		}
	})
}

// What the strict parser takes, net/http's takes too, as the same time: all but
// the century of RFC 850.
func FuzzDate(f *testing.F) {
	for _, s := range []string{"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseDate(s, noon)
		if !ok {
			require.True(t, got.IsZero())
			return
		}
		lax, err := http.ParseTime(regexp.MustCompile(`(?i)gmt$`).ReplaceAllString(s, "GMT"))
		require.NoError(t, err)
		if !strings.Contains(s, "-") {
			require.True(t, got.Equal(lax))
		}
	})
}
