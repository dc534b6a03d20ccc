package httpcache_test

import "strconv"

// once is a case of one answer, a pause, and the same request again.
func once(id string, kind conformance, of who, from origin, give ...string) cacheTest {
	return cacheTest{id, kind, of, []step{paused(give...), asks(from)}}
}

// twice is the same without the pause.
func twice(id string, kind conformance, of who, from origin, give ...string) cacheTest {
	return cacheTest{id, kind, of, []step{gives(give...), asks(from)}}
}

func freshnessTests() []cacheTest {
	const cc = "Cache-Control"
	return []cacheTest{
		once("freshness-none", checked, anyCache, notCached),
		once("freshness-max-age", optimal, anyCache, cached, cc, "max-age=3600"),
		{"freshness-max-age-stale", required, anyCache, []step{becomesStale(), asks(notCached)}},
		once("freshness-max-age-0", required, anyCache, notCached, cc, "max-age=0"),
		once("freshness-max-age-max-minus-1", optimal, anyCache, cached, cc, "max-age=2147483647"),
		once("freshness-max-age-max", optimal, anyCache, cached, cc, "max-age=2147483648"),
		once("freshness-max-age-max-plus-1", optimal, anyCache, cached, cc, "max-age=2147483649"),
		once("freshness-max-age-max-plus", optimal, anyCache, cached, cc, "max-age=99999999999"),
		once("freshness-max-age-age", required, anyCache, notCached, "Date", "@0", cc, "max-age=3600", "Age", "7200"),
		once("freshness-max-age-date", checked, anyCache, notCached, "Date", "@-7200", cc, "max-age=3600"),
		once("freshness-max-age-expires", optimal, anyCache, cached, cc, "max-age=3600", "Expires", "@-7200", "Date", "@0"),
		once("freshness-max-age-expires-invalid", optimal, anyCache, cached, cc, "max-age=3600", "Expires", "0", "Date", "@0"),
		once("freshness-max-age-0-expires", required, anyCache, notCached, "Expires", "@3600", cc, "max-age=0", "Date", "@0"),
		once("freshness-max-age-extension", optimal, anyCache, cached, cc, "foobar, max-age=3600"),
		once("freshness-max-age-case-insenstive", optimal, anyCache, cached, cc, "MaX-aGe=3600"),
		once("freshness-max-age-negative", required, anyCache, notCached, cc, "max-age=-3600"),
		once("freshness-max-age-s-maxage-private", required, privateCache, notCached, cc, "s-maxage=3600, max-age=1"),
		once("freshness-max-age-s-maxage-private-multiple", required, privateCache, notCached, cc, "s-maxage=3600", cc, "max-age=1"),
		once("freshness-s-maxage-shared", optimal, sharedCache, cached, cc, "s-maxage=3600"),
		once("freshness-max-age-s-maxage-shared-longer", required, sharedCache, notCached, cc, "max-age=3600, s-maxage=1"),
		once("freshness-max-age-s-maxage-shared-longer-reversed", required, sharedCache, notCached, cc, "s-maxage=1, max-age=3600"),
		once("freshness-max-age-s-maxage-shared-longer-multiple", required, sharedCache, notCached, cc, "max-age=3600", cc, "s-maxage=1"),
		once("freshness-max-age-s-maxage-shared-shorter", optimal, sharedCache, cached, cc, "max-age=1, s-maxage=3600"),
		once("freshness-max-age-s-maxage-shared-shorter-expires", optimal, sharedCache, cached, "Expires", "@-10", cc, "max-age=0, s-maxage=3600"),
	}
}

// Cache-Control and Age as they may come.
func parseTests() []cacheTest {
	const cc = "Cache-Control"
	tests := []cacheTest{
		once("freshness-max-age-two-fresh-stale-sameline", checked, anyCache, cached, cc, "max-age=1800, max-age=1"),
		once("freshness-max-age-two-fresh-stale-sepline", checked, anyCache, cached, cc, "max-age=1800", cc, "max-age=1"),
		once("freshness-max-age-two-stale-fresh-sameline", checked, anyCache, notCached, cc, "max-age=1, max-age=1800"),
		once("freshness-max-age-two-stale-fresh-sepline", checked, anyCache, notCached, cc, "max-age=1", cc, "max-age=1800"),
		once("freshness-max-age-quoted", checked, anyCache, cached, cc, `max-age="3600"`),
		once("freshness-max-age-ignore-quoted", required, anyCache, notCached, cc, `extension="max-age=3600", max-age=1`),
		once("freshness-max-age-ignore-quoted-rev", required, anyCache, notCached, cc, `max-age=1, extension="max-age=3600"`),
		once("freshness-max-age-space-before-equals", checked, anyCache, notCached, cc, "max-age =3600"),
		once("freshness-max-age-space-after-equals", checked, anyCache, notCached, cc, "max-age= 3600"),
		once("freshness-max-age-leading-zero", required, anyCache, cached, cc, "max-age=003600"),
		once("freshness-max-age-single-quoted", required, anyCache, notCached, cc, "max-age='3600'"),
		once("freshness-max-age-decimal-zero", checked, anyCache, notCached, cc, "max-age=3600.0"),
		once("freshness-max-age-decimal-five", checked, anyCache, notCached, cc, "max-age=3600.5"),
		once("freshness-max-age-a100", checked, anyCache, notCached, cc, "max-age=a3600"),
		once("freshness-max-age-100a", checked, anyCache, notCached, cc, "max-age=3600a"),
	}
	for _, age := range []struct {
		id   string
		kind conformance
		from origin
		give []string
	}{
		{"nonnumeric", required, cached, []string{"abc"}},
		{"negative", required, cached, []string{"-7200"}},
		{"float", required, cached, []string{"7200.0"}},
		{"large-minus-one", required, notCached, []string{"2147483647"}},
		{"large", required, notCached, []string{"2147483648"}},
		{"larger", required, notCached, []string{"2147483649"}},
		{"suffix", required, notCached, []string{"7200, 0"}},
		{"prefix", required, cached, []string{"0, 7200"}},
		{"suffix-twoline", required, notCached, []string{"7200", "0"}},
		{"prefix-twoline", required, cached, []string{"0", "7200"}},
		{"dup-0", required, cached, []string{"0, 0"}},
		{"dup-0-twoline", required, cached, []string{"0", "0"}},
		{"parameter", checked, cached, []string{"7200;foo=bar"}},
		{"numeric-parameter", checked, cached, []string{"7200;foo=111"}},
	} {
		give := []string{"Date", "@0", cc, "max-age=3600"}
		for _, line := range age.give {
			give = append(give, "Age", line)
		}
		tests = append(tests, once("age-parse-"+age.id, age.kind, anyCache, age.from, give...))
	}
	return append(tests, once("age-parse-dup-old", required, anyCache, cached, "Date", "@0", cc, "max-age=10000", "Age", "3600", "Age", "3600"))
}

func expiresTests() []cacheTest {
	const month = 30 * 24 * 60 * 60
	tests := []cacheTest{
		once("freshness-expires-future", optimal, anyCache, cached, "Expires", "@"+strconv.Itoa(month), "Date", "@0"),
		once("freshness-expires-past", required, anyCache, notCached, "Expires", "@"+strconv.Itoa(-month), "Date", "@0"),
		twice("freshness-expires-present", required, anyCache, notCached, "Expires", "@0", "Date", "@0"),
		once("freshness-expires-old-date", required, anyCache, notCached, "Expires", "@300", "Date", "@400"),
		once("freshness-expires-invalid", required, anyCache, notCached, "Expires", "0", "Date", "@0"),
		twice("freshness-expires-invalid-date", optimal, anyCache, cached, "Date", "foo", "Expires", "@10"),
		twice("freshness-expires-age-slow-date", required, anyCache, notCached, "Date", "@-10", "Expires", "@10", "Age", "25"),
		twice("freshness-expires-age-fast-date", required, anyCache, notCached, "Date", "@10", "Expires", "@20", "Age", "15"),
	}
	for _, expires := range []struct {
		id   string
		kind conformance
		give []string
	}{
		{"32bit", optimal, []string{"Tue, 19 Jan 2038 14:14:08 GMT"}},
		{"far-future", optimal, []string{"Sun, 21 Nov 2286 04:46:39 GMT"}},
		{"rfc850", optimal, []string{"Friday, 18-Aug-49 02:01:18 GMT"}}, // the virtual clock stands at 2000: 50 years ahead would be too far
		{"ansi-c", optimal, []string{"Thu Aug  8 02:01:18 2050"}},
		{"wrong-case-weekday", optimal, []string{"THU, 18 Aug 2050 02:01:18 GMT"}},
		{"wrong-case-month", optimal, []string{"Thu, 18 AUG 2050 02:01:18 GMT"}},
		{"wrong-case-tz", optimal, []string{"Thu, 18 Aug 2050 02:01:18 gMT"}},
		{"invalid-utc", required, []string{"Thu, 18 Aug 2050 02:01:18 UTC"}},
		{"invalid-aest", required, []string{"Thu, 18 Aug 2050 02:01:18 AEST"}},
		{"invalid-2-digit-year", required, []string{"Thu, 18 Aug 50 02:01:18 GMT"}},
		{"invalid-no-comma", required, []string{"Thu 18 Aug 2050 02:01:18 GMT"}},
		{"invalid-multiple-spaces", required, []string{"Thu, 18  Aug  2050 02:01:18 GMT"}},
		{"invalid-date-dashes", required, []string{"Thu, 18-Aug-2050 02:01:18 GMT"}},
		{"invalid-time-periods", required, []string{"Thu, 18 Aug 2050 02.01.18 GMT"}},
		{"invalid-1-digit-hour", required, []string{"Thu, 18 Aug 2050 2:01:18 GMT"}},
		{"invalid-multiple-lines", required, []string{"Thu, 18 Aug 2050 2:01:18 GMT", "Thu, 18 Aug 2050 2:01:19 GMT"}},
	} {
		give := []string{"Date", "@0"}
		for _, line := range expires.give {
			give = append(give, "Expires", line)
		}
		from := cached
		if expires.kind == required {
			from = notCached
		}
		tests = append(tests, once("freshness-expires-"+expires.id, expires.kind, anyCache, from, give...))
	}
	return tests
}

func heuristicTests() []cacheTest {
	var tests []cacheTest
	for _, h := range []struct {
		status int
		from   origin
		give   []string
	}{
		{200, cached, nil}, {203, cached, nil}, {204, cached, nil}, {404, cached, nil}, {405, cached, nil}, {410, cached, nil}, {414, cached, nil}, {501, cached, nil},
		{201, notCached, nil}, {202, notCached, nil}, {403, notCached, nil}, {502, notCached, nil}, {503, notCached, nil}, {504, notCached, nil}, {599, notCached, nil},
		{599, cached, []string{"Cache-Control", "public"}},
	} {
		kind, name := optimal, "cached"
		if h.from == notCached {
			kind, name = required, "not_cached"
		}
		give := append([]string{"Last-Modified", "@-86400", "Date", "@0"}, h.give...)
		tests = append(tests, cacheTest{"heuristic-" + strconv.Itoa(h.status) + "-" + name, kind, anyCache, []step{
			{status: h.status, give: give}, {status: h.status, from: h.from},
		}})
	}
	for _, ago := range []int{60, 300, 600, 1200, 1800, 3600, 3600 * 12, 3600 * 24} {
		tests = append(tests, once("heuristic-delta-"+strconv.Itoa(ago), checked, anyCache, cached, "Last-Modified", "@-"+strconv.Itoa(ago), "Date", "@0"))
	}
	return tests
}
