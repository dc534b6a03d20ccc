package httpcache

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func seconds60() delta { return delta{60, true} }

// RFC 9111, section 5.2 (Cache-Control) and 1.2.2 (delta-seconds); caching.md 1.
func TestRFC9111_5_2_Directives(t *testing.T) {
	for name, test := range map[string]struct {
		lines []string
		want  directives
	}{
		"nothing":                                 {nil, directives{}},
		"an empty line":                           {[]string{""}, directives{}},
		"max-age":                                 {[]string{"max-age=60"}, directives{maxAge: seconds60()}},
		"names in any case":                       {[]string{"MaX-aGe=60, NO-STORE"}, directives{maxAge: seconds60(), flags: noStore}},
		"a quoted number":                         {[]string{`max-age="60"`}, directives{maxAge: seconds60()}},
		"a quoted string with an escape":          {[]string{`max-age="6\0"`}, directives{maxAge: seconds60()}},
		"a comma within quotes":                   {[]string{`ext="no-store, max-age=1", max-age=60`}, directives{maxAge: seconds60()}},
		"an escaped quote within quotes":          {[]string{`ext="\", no-store", public`}, directives{flags: public}},
		"quotes that do not end hide the rest":    {[]string{`ext="a, public`}, directives{}},
		"a line does not go on in the next":       {[]string{`ext="a`, `public`}, directives{flags: public}},
		"several lines":                           {[]string{"max-age=60", "no-cache", "private"}, directives{maxAge: seconds60(), flags: noCache | private}},
		"empty members":                           {[]string{" , ,max-age=60,, public ,"}, directives{maxAge: seconds60(), flags: public}},
		"of a duplicate the first":                {[]string{"max-age=60, max-age=1800"}, directives{maxAge: seconds60()}},
		"of a duplicate on two lines the first":   {[]string{"max-age=60", "max-age=1800"}, directives{maxAge: seconds60()}},
		"too large a number saturates":            {[]string{"max-age=99999999999999999999999"}, directives{maxAge: delta{maxDelta, true}}},
		"leading zeros":                           {[]string{"max-age=0060"}, directives{maxAge: seconds60()}},
		"a negative number is 0":                  {[]string{"max-age=-60"}, directives{maxAge: delta{0, true}}},
		"a decimal number is 0":                   {[]string{"max-age=60.0"}, directives{maxAge: delta{0, true}}},
		"a sign is no digit":                      {[]string{"max-age=+60"}, directives{maxAge: delta{0, true}}},
		"no number is 0":                          {[]string{"max-age"}, directives{maxAge: delta{0, true}}},
		"an empty number is 0":                    {[]string{"max-age="}, directives{maxAge: delta{0, true}}},
		"space before the equals sign is 0":       {[]string{"max-age =60"}, directives{maxAge: delta{0, true}}},
		"space after the equals sign is 0":        {[]string{"max-age= 60"}, directives{maxAge: delta{0, true}}},
		"single quotes are no quotes":             {[]string{"max-age='60'"}, directives{maxAge: delta{0, true}}},
		"garbage after a number is 0":             {[]string{"max-age=60 public"}, directives{maxAge: delta{0, true}}},
		"s-maxage":                                {[]string{"s-maxage=60"}, directives{sMaxAge: seconds60()}},
		"a broken no-store is a no-store":         {[]string{"no-store=yes"}, directives{flags: noStore}},
		"a broken public is not public":           {[]string{"public yes"}, directives{}},
		"qualified no-cache counts in full":       {[]string{`no-cache="Set-Cookie"`}, directives{flags: noCache}},
		"qualified private counts in full":        {[]string{`private="Set-Cookie"`}, directives{flags: private}},
		"a longer name is another name":           {[]string{"no-store-please, xmax-age=60"}, directives{}},
		"max-stale with a number":                 {[]string{"max-stale=60"}, directives{maxStale: seconds60()}},
		"max-stale without is any":                {[]string{"max-stale"}, directives{flags: anyStale}},
		"a broken max-stale is none":              {[]string{"max-stale=a"}, directives{}},
		"a broken min-fresh is none":              {[]string{"min-fresh=a, min-fresh=60"}, directives{minFresh: seconds60()}},
		"must-understand":                         {[]string{"must-understand, no-store"}, directives{flags: mustUnderstand | noStore}},
		"must-revalidate and proxy-revalidate":    {[]string{"must-revalidate,proxy-revalidate"}, directives{flags: mustRevalidate | proxyRevalidate}},
		"only-if-cached":                          {[]string{"only-if-cached"}, directives{flags: onlyIfCached}},
		"RFC 5861":                                {[]string{"stale-while-revalidate=60, stale-if-error=60"}, directives{whileRevalidating: seconds60(), ifErrored: seconds60()}},
		"a name that is no token":                 {[]string{"@no-store, public"}, directives{flags: public}},
		"an equals sign alone":                    {[]string{"=, public"}, directives{flags: public}},
		"a control character":                     {[]string{"max-age=6\x000"}, directives{maxAge: delta{0, true}}},
		"white space that is none of HTTP's":      {[]string{"\u00a0no-store"}, directives{}},
		"a tab is white space":                    {[]string{"\tmax-age=60\t,\tpublic"}, directives{maxAge: seconds60(), flags: public}},
		"a quoted string followed by more is bad": {[]string{`max-age="60"x`}, directives{maxAge: delta{0, true}}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, parseDirectives(test.lines))
		})
	}
}

// What the parser makes of a field never depends on how it is cut into lines,
// unless a line ends within quotes, and never allows more after a no-store.
func FuzzDirectives(f *testing.F) {
	for _, s := range []string{"max-age=60, public", `a="b,c\"", no-store`, "max-age=\"", ",,=,=\"\"", "no-cache=\"a\", max-stale"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := parseDirectives([]string{s})
		for _, n := range []delta{d.maxAge, d.sMaxAge, d.minFresh, d.maxStale, d.whileRevalidating, d.ifErrored} {
			require.LessOrEqual(t, n.seconds, uint32(maxDelta))
			require.True(t, n.set || n.seconds == 0)
		}
		require.Equal(t, d, parseDirectives([]string{s}))
		first := parseDirectives([]string{"no-store, max-age=7", s})
		require.True(t, first.has(noStore))
		require.Equal(t, delta{7, true}, first.maxAge)
		if !strings.ContainsAny(s, `"`) {
			require.Equal(t, d, parseDirectives(strings.Split(s, ",")))
		}
	})
}

// RFC 9111, section 5.1; caching.md 2.
func TestRFC9111_5_1_Age(t *testing.T) {
	for name, test := range map[string]struct {
		lines []string
		want  time.Duration
		ok    bool
	}{
		"none":                         {nil, 0, false},
		"seconds":                      {[]string{"60"}, time.Minute, true},
		"the first member of a list":   {[]string{"60, 7200"}, time.Minute, true},
		"the first of several lines":   {[]string{"60", "7200"}, time.Minute, true},
		"negative":                     {[]string{"-60"}, 0, false},
		"a decimal":                    {[]string{"60.5"}, 0, false},
		"text":                         {[]string{"a minute"}, 0, false},
		"parameters":                   {[]string{"60;foo=bar"}, 0, false},
		"empty":                        {[]string{""}, 0, false},
		"too large a number saturates": {[]string{"99999999999999999999"}, maxDelta * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := parseAge(test.lines)
			require.Equal(t, test.ok, ok)
			require.Equal(t, test.want, got)
		})
	}
}

// RFC 9111, section 4.2.3: the corrected initial age.
func TestRFC9111_4_2_3_InitialAge(t *testing.T) {
	received := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	requested := received.Add(-2 * time.Second)
	date := func(d time.Duration) []string { return []string{received.Add(d).Format(http.TimeFormat)} }
	for name, test := range map[string]struct {
		h    http.Header
		want time.Duration
	}{
		"without Age and Date it is the response's delay":  {http.Header{}, 2 * time.Second},
		"Age counts, and the delay":                        {http.Header{"Age": {"10"}}, 12 * time.Second},
		"a Date in the past":                               {http.Header{"Date": date(-time.Minute)}, time.Minute},
		"the larger of both":                               {http.Header{"Date": date(-time.Minute), "Age": {"100"}}, 102 * time.Second},
		"a Date in the future is no age":                   {http.Header{"Date": date(time.Minute)}, 2 * time.Second},
		"a Date that is none":                              {http.Header{"Date": {"yesterday"}}, 2 * time.Second},
		"an Age that is none":                              {http.Header{"Age": {"old"}}, 2 * time.Second},
		"an Age that saturates does not overflow the rest": {http.Header{"Age": {"99999999999999"}}, (maxDelta + 2) * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, initialAge(test.h, requested, received))
		})
	}
}

func FuzzAge(f *testing.F) {
	f.Add("60, 1")
	f.Add(" 0060\t")
	f.Fuzz(func(t *testing.T, s string) {
		d, ok := parseAge([]string{s})
		require.True(t, d >= 0 && d <= maxDelta*time.Second)
		require.True(t, ok || d == 0)
	})
}
