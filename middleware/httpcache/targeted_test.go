package httpcache

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// RFC 9213, sections 2.1 and 2.2; caching.md 4: which field governs, and what it says.
func TestRFC9213_2_TargetedFields(t *testing.T) {
	const ours, other = "Edge-Cache-Control", "Cdn-Cache-Control"
	p := policy{targeted: []string{ours, other}}
	sixty := delta{60, true}
	for name, test := range map[string]struct {
		given []string
		want  directives
		field string
	}{
		"none of them":                       {given: []string{"Cache-Control", "max-age=60"}, want: directives{maxAge: sixty}},
		"one of them":                        {given: []string{"Cache-Control", "no-store", other, "max-age=60"}, want: directives{maxAge: sixty}, field: other},
		"the first of them":                  {given: []string{other, "max-age=1", ours, "max-age=60"}, want: directives{maxAge: sixty}, field: ours},
		"several lines are one":              {given: []string{ours, "max-age=60", ours, "private"}, want: directives{maxAge: sixty, flags: private}, field: ours},
		"the last of a duplicate counts":     {given: []string{ours, "max-age=1, max-age=60"}, want: directives{maxAge: sixty}, field: ours},
		"parameters say nothing":             {given: []string{ours, "max-age=60;a=1, no-store;b"}, want: directives{maxAge: sixty, flags: noStore}, field: ours},
		"what is not known is let be":        {given: []string{ours, "none"}, field: ours},
		"false is not there":                 {given: []string{ours, "no-store=?0, max-age=60"}, want: directives{maxAge: sixty}, field: ours},
		"a string is no number":              {given: []string{ours, `max-age="60"`}, want: directives{maxAge: delta{0, true}}, field: ours},
		"a decimal is no number of seconds":  {given: []string{ours, "max-age=60.0"}, want: directives{maxAge: delta{0, true}}, field: ours},
		"a negative is no number of seconds": {given: []string{ours, "max-age=-60"}, want: directives{maxAge: delta{0, true}}, field: ours},
		"an inner list is no number":         {given: []string{ours, "max-age=(60)"}, want: directives{maxAge: delta{0, true}}, field: ours},
		"large numbers are the largest":      {given: []string{ours, "max-age=99999999999"}, want: directives{maxAge: delta{maxDelta, true}}, field: ours},
		"no-cache for a field is for all":    {given: []string{ours, `no-cache="a"`}, want: directives{flags: noCache}, field: ours},
		"empty is not there":                 {given: []string{ours, "", "Cache-Control", "max-age=60"}, want: directives{maxAge: sixty}},
		"broken is not there":                {given: []string{ours, "no-store, &&&", "Cache-Control", "max-age=60"}, want: directives{maxAge: sixty}},
		"capitals are no keys":               {given: []string{ours, "No-Store", "Cache-Control", "max-age=60"}, want: directives{maxAge: sixty}},
		"blanks around = are not allowed":    {given: []string{ours, "max-age = 1", "Cache-Control", "max-age=60"}, want: directives{maxAge: sixty}},
		"too large for an Integer is broken": {given: []string{ours, "max-age=1000000000000000", "Cache-Control", "max-age=60"}, want: directives{maxAge: sixty}},
		"broken falls to the next":           {given: []string{ours, ",", other, "max-age=60"}, want: directives{maxAge: sixty}, field: other},
	} {
		t.Run(name, func(t *testing.T) {
			h := header(test.given...)
			cc, field := p.directivesOf(h)
			if test.field != "" {
				test.want.flags |= targeted
			}
			require.Equal(t, test.want, cc)
			require.Equal(t, test.field, field)
			require.Equal(t, cc, directivesIn(linesOf(h), field))
		})
	}
}

// RFC 9213, section 2.2: beside a targeted field, Expires does not count; a cache
// that is no target of it looks at Cache-Control.
func TestRFC9213_2_2_Lifetime(t *testing.T) {
	h := header("Cdn-Cache-Control", "max-age=60", "Cache-Control", "max-age=1", "Expires", noon.Add(time.Hour).Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	life := func(p policy) time.Duration {
		a := status(302, h)
		a.cc, _ = p.directivesOf(h)
		return lifetime(p, a, noon)
	}
	us := policy{targeted: []string{"Cdn-Cache-Control"}}
	require.Equal(t, time.Minute, life(us))
	require.Equal(t, time.Second, life(policy{}))
	h.Set("Cdn-Cache-Control", "private")
	require.Zero(t, life(us))
	a := status(302, h)
	h.Set("Cdn-Cache-Control", "foo")
	a.cc, _ = us.directivesOf(h)
	require.Equal(t, whyNoFreshness, storable(us, nil, directives{}, a))
}

// Whatever the fields say, reading them ends, and says the same twice.
func FuzzTargeted(f *testing.F) {
	for _, s := range []string{"@", "a=@", "max-age=60, private", "max-age=60;a=(1 2)", "no-cache=\"a\"", "a=?0, b=:YQ==:", "max-age=1.5", ",", "&"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		cc, ok := parseTargeted([]string{s})
		again, same := parseTargeted([]string{s})
		require.Equal(t, cc, again)
		require.Equal(t, ok, same)
		require.Equal(t, ok, cc.has(targeted))
		for _, n := range []delta{cc.maxAge, cc.sMaxAge, cc.whileRevalidating, cc.ifErrored} {
			require.LessOrEqual(t, n.seconds, uint32(maxDelta))
		}
		for _, g := range parseGroups([]string{s}) {
			require.NotContains(t, g, "\x00")
		}
	})
}

// RFC 9875, section 2: a List of Strings, or nothing.
func TestRFC9875_2_Groups(t *testing.T) {
	for name, test := range map[string]struct {
		lines, want []string
	}{
		"none":                 {},
		"some":                 {lines: []string{`"a", "b c"`, `"d";x=1`}, want: []string{"a", "b c", "d"}},
		"escapes":              {lines: []string{`"a\"b"`}, want: []string{`a"b`}},
		"a token is no string": {lines: []string{`"a", b`}},
		"a list in the list":   {lines: []string{`"a", ("b")`}},
		"not a list":           {lines: []string{`"a" "b"`}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, parseGroups(test.lines))
		})
	}
}
