package httpcache_test

import "slices"

func varyTests() []cacheTest {
	base := func(vary ...string) []string {
		give := []string{"Cache-Control", "max-age=5000", "Last-Modified", "@-3000", "Date", "@0"}
		for _, v := range vary {
			give = append(give, "Vary", v)
		}
		return give
	}
	// pair is a case of a first request, what it is answered with, and a second request.
	pair := func(id string, kind conformance, from origin, first, give, second []string) cacheTest {
		return cacheTest{id, kind, anyCache, []step{{ask: first, give: give}, {ask: second, from: from}}}
	}
	foo1, foo2 := []string{"Foo", "1"}, []string{"Foo", "2"}
	two, three := []string{"Foo", "1", "Bar", "abc"}, []string{"Foo", "1", "Bar", "abc", "Baz", "789"}
	ends := []string{"Foo", "1", "Baz", "789"}
	de := base("Accept-Language")
	tests := []cacheTest{
		pair("vary-match", optimal, cached, foo1, base("Foo"), foo1),
		pair("vary-no-match", required, notCached, foo1, base("Foo"), foo2),
		pair("vary-omit-stored", required, notCached, nil, base("Foo"), foo1),
		pair("vary-omit", required, notCached, foo1, base("Foo"), nil),
		{"vary-invalidate", optimal, anyCache, []step{
			{ask: foo1, give: base("Foo"), text: "one"},
			{ask: foo2, give: base("Foo"), text: "two", from: notCached},
			{ask: foo1, text: "one", from: cached},
		}},
		pair("vary-cache-key", optimal, cached, append([]string{"Other", "2"}, foo1...), base("Foo"), append([]string{"Other", "3"}, foo1...)),
		pair("vary-2-match", optimal, cached, two, base("Foo, Bar"), two),
		pair("vary-2-no-match", required, notCached, two, base("Foo, Bar"), []string{"Foo", "2", "Bar", "abc"}),
		pair("vary-2-match-omit", required, notCached, two, base("Foo, Bar"), nil),
		pair("vary-3-match", optimal, cached, three, base("Foo, Bar, Baz"), three),
		pair("vary-3-no-match", required, notCached, three, base("Foo, Bar, Baz"), []string{"Foo", "2", "Bar", "abc", "Baz", "789"}),
		pair("vary-3-order", required, notCached, three, base("Foo, Bar, Baz"), []string{"Foo", "1", "Baz", "789", "Bar", "abcde"}),
		pair("vary-3-omit", optimal, cached, ends, base("Foo, Bar, Baz"), ends),
		pair("vary-star", required, notCached, ends, base("*"), ends),
		pair("vary-normalise-combine", optimal, cached, []string{"Foo", "1, 2"}, base("Foo"), []string{"Foo", "1", "Foo", "2"}),
		pair("vary-normalise-lang-case", optimal, cached, []string{"Accept-Language", "en, de"}, de, []string{"Accept-Language", "eN, De"}),
		pair("vary-normalise-lang-space", optimal, cached, []string{"Accept-Language", "en, de"}, de, []string{"Accept-Language", " en ,   de"}),
		pair("vary-normalise-space", optimal, cached, []string{"Foo", "1,2"}, base("Foo"), []string{"Foo", " 1, 2 "}),
	}
	for id, vary := range map[string][]string{
		"star": {"*"}, "star-star": {"*, *"}, "star-star-lines": {"*", "*"}, "empty-star": {", *"}, "empty-star-lines": {"", "*"}, "star-foo": {"*, Foo"}, "foo-star": {"Foo, *"},
	} {
		tests = append(tests, pair("vary-syntax-"+id, required, notCached, ends, base(vary...), ends))
	}
	return tests
}

func conditionalTests() []cacheTest {
	const inm, ims = "If-None-Match", "If-Modified-Since"
	has := func(id string, kind conformance, stored, asked string) cacheTest {
		return cacheTest{id, kind, anyCache, []step{fresh("ETag", stored), {ask: []string{inm, asked}, from: cached, wantStatus: 304, wantHeader: []string{"ETag", stored}}}}
	}
	dated := func(id, age, asked string, from origin) cacheTest {
		return cacheTest{id, optimal, anyCache, []step{
			paused("Cache-Control", age, "Last-Modified", "@-3000", "Date", "@0"),
			{ask: []string{ims, asked}, from: from, wantStatus: 304},
		}}
	}
	validated := func(id string, kind conformance, tag string) cacheTest {
		return cacheTest{id, kind, anyCache, []step{becomesStale("ETag", tag), {from: etagValidated, wantStatus: 200, wantSent: []string{inm, tag}}}}
	}
	return []cacheTest{
		has("conditional-etag-strong-respond", optimal, `"abcdef"`, `"abcdef"`),
		has("conditional-304-etag", required, `"abcdef"`, `"abcdef"`),
		has("conditional-etag-strong-respond-obs-text", checked, "\"abcdef\u00fc\"", "\"abcdef\u00fc\""),
		has("conditional-etag-weak-respond", optimal, `W/"abcdef"`, `W/"abcdef"`),
		has("conditional-etag-strong-respond-multiple-first", optimal, `"abcdef"`, `"abcdef", "1234", "5678"`),
		has("conditional-etag-strong-respond-multiple-second", optimal, `"abcdef"`, `"1234", "abcdef", "5678"`),
		has("conditional-etag-strong-respond-multiple-last", optimal, `"abcdef"`, `"1234", "5678", "abcdef"`),
		{"conditional-etag-precedence", required, anyCache, []step{
			fresh("Last-Modified", "@-5000", "ETag", `"abcdef"`),
			{ask: []string{inm, `"abcdef"`, ims, "@-1"}, from: cached, wantStatus: 304},
		}},
		{"conditional-etag-vary-headers", required, anyCache, []step{
			{ask: []string{"Abc", "123"}, give: []string{"Expires", "@1", "ETag", `"abcdef"`, "Date", "@0", "Vary", "Abc"}, pause: true},
			{ask: []string{"Abc", "123"}, from: etagValidated, wantSent: []string{"Abc", "123"}},
		}},
		{"conditional-etag-vary-headers-mismatch", checked, anyCache, []step{
			{ask: []string{"Abc", "123"}, give: []string{"Expires", "@10000", "ETag", `"abcdef"`, "Date", "@0", "Vary", "Abc"}, pause: true},
			{ask: []string{"Abc", "456"}, wantSent: []string{inm, `"abcdef"`}},
		}},
		validated("conditional-etag-strong-generate", optimal, `"abcdef"`),
		validated("conditional-etag-weak-generate-weak", optimal, `W/"abcdef"`),
		{"conditional-etag-forward", checked, anyCache, []step{{ask: []string{inm, `"abcdef"`}, wantSent: []string{inm, `"abcdef"`}}}},
		dated("conditional-lm-fresh", "max-age=100000", "@-3000", cached),
		dated("conditional-lm-fresh-earlier", "max-age=100000", "@-2000", cached),
		dated("conditional-lm-stale", "max-age=2", "@-3000", dateValidated),
		{"conditional-lm-fresh-rfc850", optimal, anyCache, []step{
			paused("Cache-Control", "max-age=10000", "Last-Modified", "Saturday, 01-Jan-00 00:00:00 GMT", "Date", "@0"),
			{ask: []string{ims, "Sat, 01 Jan 2000 00:00:00 GMT"}, from: cached, wantStatus: 304},
		}},
	}
}

func invalidationTests() []cacheTest {
	var tests []cacheTest
	for _, method := range []string{"POST", "PUT", "DELETE", "M-SEARCH"} {
		id := "invalidate-" + method
		unsafe := step{method: method, content: "abc"}
		failed := step{method: method, content: "abc", status: 500}
		elsewhere := step{method: method, content: "abc", give: []string{"Location", "location_target", "Content-Location", "content_location_target"}}
		at := func(url string) []step {
			first, again := fresh(), step{from: notCached, url: url}
			first.url = url
			return []step{first, elsewhere, again}
		}
		tests = append(tests,
			cacheTest{id, required, anyCache, []step{fresh(), unsafe, asks(notCached)}},
			cacheTest{id + "-failed", optimal, anyCache, []step{fresh(), failed, asks(cached)}},
			cacheTest{id + "-location", checked, anyCache, at("http://origin.example.com/dir/location_target")},
			cacheTest{id + "-cl", checked, anyCache, at("http://origin.example.com/dir/content_location_target")},
		)
	}
	return tests
}

func partialTests() []cacheTest {
	part := func(id, text, asked, want string) cacheTest {
		return cacheTest{id, optimal, anyCache, []step{
			{give: []string{"Cache-Control", "max-age=3600"}, text: text},
			{ask: []string{"Range", asked}, from: cached, wantStatus: 206, wantText: want},
		}}
	}
	headers := func(id, given, want string) cacheTest {
		return cacheTest{id, required, anyCache, []step{
			{give: []string{"Cache-Control", "max-age=3600", "A", "1"}, text: "01234567890"},
			{ask: []string{"Range", "bytes=0-1"}, give: []string{"A", given}, from: cached, wantStatus: 206, wantText: "01", wantHeader: []string{"A", want}},
		}}
	}
	return []cacheTest{
		part("partial-store-complete-reuse-partial", "01234567890", "bytes=0-1", "01"),
		part("partial-store-complete-reuse-partial-no-last", "01234567890", "bytes=1-", "1234567890"),
		part("partial-store-complete-reuse-partial-suffix", "0123456789A", "bytes=-1", "A"),
		headers("partial-use-headers", "2", "1"), // it is not sent upstream, so that there are no new ones
		headers("partial-use-stored-headers", "1", "1"),
	}
}

func staleTests() []cacheTest {
	const cc = "Cache-Control"
	gone := func(id string, of who, value string) cacheTest {
		return cacheTest{id, required, of, []step{paused(cc, "max-age=2, "+value), {down: true, wantStatus: 504, wantNot: []string{"Server-Request-Count"}}}}
	}
	return []cacheTest{
		{"stale-while-revalidate", optimal, anyCache, []step{paused(cc, "max-age=1, stale-while-revalidate=3600", "ETag", `"abc"`), asks(cached)}},
		{"stale-while-revalidate-window", required, anyCache, []step{
			paused(cc, "max-age=1, stale-while-revalidate=4", "ETag", `"abc"`),
			{from: cached, pause: true, give: []string{cc, "no-cache", "ETag", `"def"`}},
			asks(notCached),
		}},
		{"stale-sie-close", checked, anyCache, []step{paused(cc, "max-age=2, stale-if-error=60"), {down: true, from: cached, wantStatus: 200}}},
		{"stale-sie-503", checked, anyCache, []step{paused(cc, "max-age=2, stale-if-error=60"), {status: 503, from: cached, wantStatus: 200}}},
		gone("stale-close-must-revalidate", anyCache, "must-revalidate"),
		gone("stale-close-proxy-revalidate", sharedCache, "proxy-revalidate"),
		{"stale-close-no-cache", required, anyCache, []step{paused(cc, "max-age=2, no-cache", "ETag", `"a"`), {down: true, wantStatus: 504, wantNot: []string{"Server-Request-Count"}}}},
		gone("stale-close-s-maxage=2", sharedCache, "s-maxage=2"),
	}
}

// storedFields are the suite's fields with two values each: kept says that a 304
// must not change it, update that it has to.
var storedFields = []struct {
	name, a, b   string
	kept, update bool
}{
	{"Test-Header", "a", "b", false, true},
	{"X-Test-Header", "a", "b", false, true},
	{"Content-Foo", "a", "b", false, true},
	{"X-Content-Foo", "a", "b", false, true},
	{"Cache-Control", "max-age=1", "max-age=3600", false, true},
	{"Content-Encoding", "a", "b", true, false},
	{"Content-Length", "5", "10", true, false},
	{"Content-Location", "/foo", "/bar", false, false},
	{"Content-MD5", "rL0Y20zC+Fzt72VPzMSk2A==", "N7UdGUp1E+RbVvZSTy1R8g==", false, false},
	{"Content-Range", "a", "b", true, false},
	{"Content-Security-Policy", "default-src 'self'", "default-src 'self' cdn.example.com", false, false},
	{"Content-Type", "text/plain", "text/plain;charset=utf-8", true, false},
	{"Clear-Site-Data", "cache", "cookies", false, false},
	{"ETag", `"abcdef"`, `"ghijkl"`, false, false},
	{"Expires", "Fri, 01 Jan 2038 01:01:01 GMT", "Mon, 11 Jan 2038 11:11:11 GMT", false, false},
	{"Public-Key-Pins", "a", "b", false, false},
	{"Set-Cookie", "a=b", "a=c", false, false},
	{"Set-Cookie2", "a=b", "a=c", false, false},
	{"X-Frame-Options", "deny", "sameorigin", false, false},
	{"X-XSS-Protection", "1", "1; mode=block", false, false},
}

func headerTests() []cacheTest {
	tests := []cacheTest{{"headers-omit-headers-listed-in-Connection", required, anyCache, []step{
		fresh("Connection", "a, b", "a", "1", "b", "2", "c", "3"),
		{from: cached, wantHeader: []string{"C", "3"}, wantNot: []string{"A", "B"}},
	}}}
	give := func(name, value string) []string {
		pairs := []string{"Date", "@0", name, value}
		if name != "Cache-Control" {
			pairs = append(pairs, "Cache-Control", "max-age=3600")
		}
		return pairs
	}
	for _, f := range storedFields {
		tests = append(tests, cacheTest{"headers-store-" + f.name, required, anyCache, []step{
			{give: give(f.name, f.b), text: "0123456789", pause: true}, {text: "0123456789", from: cached, wantHeader: []string{f.name, f.b}},
		}})
	}
	for _, name := range []string{
		"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization", "Proxy-Connection", "TE", "Transfer-Encoding", "Upgrade",
	} {
		tests = append(tests, cacheTest{"headers-store-" + name, required, anyCache, []step{
			{give: give(name, "value"), pause: true}, {from: cached, wantNot: []string{name}},
		}})
	}
	return tests
}

func updateTests() []cacheTest {
	const lm = "Wed, 01 Jan 1997 00:00:00 GMT"
	tests := []cacheTest{
		{"304-lm-use-stored-Test-Header", required, anyCache, []step{
			paused("Cache-Control", "max-age=2", "Last-Modified", lm, "Date", "@0", "Test-Header", "a"),
			{give: []string{"Last-Modified", lm, "Date", "@0"}, from: dateValidated, wantHeader: []string{"Test-Header", "a"}},
		}},
		{"head-writethrough", checked, anyCache, []step{becomesStale(), {method: "HEAD", wantMethod: "HEAD"}}},
		{"head-200-freshness-update", checked, anyCache, []step{
			becomesStale("Content-Length", "4"),
			{method: "HEAD", give: []string{"Cache-Control", "max-age=1000", "Content-Length", "4"}, wantMethod: "HEAD"},
			asks(cached),
		}},
		{"head-200-update", checked, anyCache, []step{
			becomesStale("Content-Length", "4"),
			{method: "HEAD", give: []string{"Template-A", "2", "Cache-Control", "max-age=1000", "Content-Length", "4"}, wantMethod: "HEAD"},
			{from: cached, wantHeader: []string{"Template-A", "2"}},
		}},
	}
	give := func(name, value string, more ...string) []string {
		pairs := append([]string{"Date", "@0", name, value}, more...)
		if name != "Cache-Control" {
			pairs = append(pairs, "Cache-Control", "max-age=2")
		}
		return pairs
	}
	for _, f := range storedFields {
		kind, want := checked, f.b
		switch {
		case f.name == "ETag":
			continue
		case f.name == "Content-Length":
			kind, want = required, f.a
		case f.kept: // it describes the stored bytes
			want = f.a
		case f.update:
			kind = required
		}
		tests = append(tests, cacheTest{"304-etag-update-response-" + f.name, kind, anyCache, []step{
			{give: give(f.name, f.a, "ETag", `"tag"`), text: "01234", pause: true},
			{give: give(f.name, f.b, "ETag", `"tag"`), text: "01234", from: etagValidated, wantHeader: []string{f.name, want}},
			{text: "01234", from: cached, wantHeader: []string{f.name, want}},
		}})
	}
	return tests
}

func otherTests() []cacheTest {
	const cc = "Cache-Control"
	month := []string{"Expires", "@2592000", "Date", "@0"}
	withURL := func(s step, url string) step { s.url = url; return s }
	auth := func(id string, kind conformance, from origin, give ...string) cacheTest {
		return cacheTest{id, kind, sharedCache, []step{
			{ask: []string{"Authorization", "FOO"}, give: append(give, "Date", "@0"), wantSent: []string{"Authorization", "FOO"}, pause: true}, asks(from),
		}}
	}
	return []cacheTest{
		{"other-age-gen", required, anyCache, []step{fresh(), {from: cached, wantHeader: []string{"Age", ">2"}}}},
		{"other-age-update-expires", required, anyCache, []step{paused(slices.Concat(month, []string{"Age", "30"})...), {from: cached, wantHeader: []string{"Age", ">32"}}}},
		{"other-age-update-max-age", required, anyCache, []step{fresh("Age", "30"), {from: cached, wantHeader: []string{"Age", ">32"}}}},
		{"other-date-update", required, anyCache, []step{fresh(), {from: cached, wantHeader: []string{"Date", "@0"}}}},
		{"other-date-update-expires", required, anyCache, []step{paused(month...), {from: cached, wantHeader: []string{"Date", "@0"}}}},
		{"other-date-update-expires-update", checked, anyCache, []step{paused(month...), {from: cached, wantHeader: []string{"Expires", "@2592000"}}}},
		{"query-args-different", required, anyCache, []step{withURL(fresh(), "?test=1"), withURL(asks(notCached), "?test=2")}},
		{"query-args-same", optimal, anyCache, []step{withURL(fresh(), "?test=1"), withURL(asks(cached), "?test=1")}},
		twice("other-heuristic-content-disposition-attachment", checked, anyCache, cached, "Last-Modified", "@-100000", "Date", "@0", "Content-Disposition", "attachment; filename=example.txt"),
		{"other-fresh-content-disposition-attachment", checked, anyCache, []step{fresh("Content-Disposition", "attachment; filename=example.txt"), asks(cached)}},
		{"other-set-cookie", optimal, anyCache, []step{fresh("Set-Cookie", "a=b"), asks(cached)}},
		{"other-cookie", optimal, sharedCache, []step{fresh(), asks(cached, "Cookie", "a=b")}},
		auth("other-authorization", required, notCached, cc, "max-age=100000"),
		auth("other-authorization-public", optimal, cached, cc, "max-age=3600, public"),
		auth("other-authorization-must-revalidate", optimal, cached, cc, "max-age=3600, must-revalidate"),
		auth("other-authorization-smaxage", optimal, cached, cc, "s-maxage=3600"),
	}
}
