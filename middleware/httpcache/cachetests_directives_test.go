package httpcache_test

import "strconv"

func responseTests() []cacheTest {
	const cc = "Cache-Control"
	old := paused(cc, "max-age=10000", "Expires", "@10000", "Date", "@0", "A", "1")
	second := func(value string) []step {
		return []step{old, paused(cc, value, "Date", "@0", "A", "2"), {from: cached, wantHeader: []string{"A", "1"}}}
	}
	return []cacheTest{
		twice("cc-resp-private-shared", required, sharedCache, notCached, cc, "private, max-age=3600"),
		twice("cc-resp-private-private", optimal, privateCache, cached, cc, "private, max-age=3600"),
		twice("cc-resp-no-store", required, anyCache, notCached, cc, "no-store"),
		twice("cc-resp-no-store-case-insensitive", required, anyCache, notCached, cc, "No-StOrE"),
		twice("cc-resp-no-store-fresh", required, anyCache, notCached, cc, "max-age=10000, no-store", "Expires", "@10000", "Date", "@0"),
		{"cc-resp-no-store-old-new", required, anyCache, second("no-store")},
		{"cc-resp-no-store-old-max-age", required, anyCache, second("no-store, max-age=0")},
		twice("cc-resp-no-cache", required, anyCache, notCached, cc, "max-age=10000, no-cache", "Expires", "@10000", "Date", "@0"),
		twice("cc-resp-no-cache-case-insensitive", required, anyCache, notCached, cc, "max-age=10000, No-CaChE", "Expires", "@10000", "Date", "@0"),
		twice("cc-resp-no-cache-revalidate", optimal, anyCache, etagValidated, cc, "no-cache", "ETag", `"abcd"`),
		twice("cc-resp-no-cache-revalidate-fresh", optimal, anyCache, etagValidated, cc, "max-age=10000, no-cache", "Expires", "@10000", "Date", "@0", "ETag", `"abcd"`),
		twice("cc-resp-must-revalidate-fresh", optimal, anyCache, cached, cc, "max-age=10000, must-revalidate", "ETag", `"abcd"`),
		{"cc-resp-must-revalidate-stale", required, anyCache, []step{
			gives(cc, "max-age=2, must-revalidate", "ETag", `"abcd"`),
			{from: cached, pause: true, give: []string{cc, "max-age=2, must-revalidate", "ETag", `"abcd"`}},
			asks(etagValidated),
		}},
	}
}

func statusTests() []cacheTest {
	const cc = "Cache-Control"
	tests := []cacheTest{
		{"status-599-must-understand", required, anyCache, []step{{status: 599, give: []string{cc, "max-age=3600, no-store, must-understand"}}, asks(notCached)}},
		twice("status-200-must-understand", optimal, anyCache, cached, cc, "max-age=3600, no-store, must-understand"),
	}
	for _, status := range []int{200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 504, 599} {
		f, s := fresh(), stale()
		f.status, s.status = status, status
		id := "status-" + strconv.Itoa(status)
		tests = append(tests,
			cacheTest{id + "-fresh", optimal, anyCache, []step{f, {status: status, from: cached}}},
			cacheTest{id + "-stale", required, anyCache, []step{s, asks(notCached)}})
	}
	return tests
}

func requestTests() []cacheTest {
	const cc = "Cache-Control"
	asked := func(id string, from origin, first step, ask ...string) cacheTest {
		return cacheTest{id, checked, anyCache, []step{first, asks(from, ask...)}}
	}
	return []cacheTest{
		asked("ccreq-ma0", notCached, fresh(), cc, "max-age=0"),
		asked("ccreq-ma1", notCached, fresh(), cc, "max-age=1"),
		asked("ccreq-magreaterage", notCached, gives(cc, "max-age=3600", "Age", "1800"), cc, "max-age=600"),
		asked("ccreq-max-stale", cached, paused(cc, "max-age=1", "ETag", `"a"`), cc, "max-stale=1000"),
		asked("ccreq-max-stale-age", cached, gives(cc, "max-age=1500", "Age", "2000", "ETag", `"a"`), cc, "max-stale=1000"),
		asked("ccreq-min-fresh", notCached, gives(cc, "max-age=1500"), cc, "min-fresh=2000"),
		asked("ccreq-min-fresh-age", notCached, gives(cc, "max-age=1500", "Age", "1000"), cc, "min-fresh=1000"),
		asked("ccreq-no-cache", notCached, gives(cc, "max-age=3600"), cc, "no-cache"),
		asked("ccreq-no-cache-lm", dateValidated, gives(cc, "max-age=3600", "Last-Modified", "@-10000", "Date", "@0"), cc, "no-cache"),
		asked("ccreq-no-cache-etag", etagValidated, gives(cc, "max-age=3600", "ETag", `"abc"`), cc, "no-cache"),
		asked("ccreq-no-store", notCached, gives(cc, "max-age=3600"), cc, "no-store"),
		{"ccreq-oic", checked, anyCache, []step{{ask: []string{cc, "only-if-cached"}, wantStatus: 504}}},
		asked("pragma-request-no-cache", notCached, gives(cc, "max-age=3600"), "Pragma", "no-cache"),
		asked("pragma-request-extension", cached, gives(cc, "max-age=3600"), "Pragma", "unrecognised-extension"),
		twice("pragma-response-no-cache", checked, anyCache, cached, cc, "max-age=3600", "Pragma", "no-cache"),
		twice("pragma-response-no-cache-heuristic", checked, anyCache, cached, "Last-Modified", "@-10000", "Pragma", "no-cache"),
		twice("pragma-response-extension", checked, anyCache, cached, cc, "max-age=3600", "Pragma", "unrecognised-extension"),
	}
}

func cdnTests() []cacheTest {
	const cc, cdn = "Cache-Control", "CDN-Cache-Control"
	return []cacheTest{
		once("cdn-max-age", optimal, cdnCache, cached, cdn, "max-age=3600"),
		once("cdn-max-age-max", optimal, cdnCache, cached, cdn, "max-age=2147483648"),
		once("cdn-max-age-max-plus", optimal, cdnCache, cached, cdn, "max-age=99999999999"),
		once("cdn-max-age-age", required, cdnCache, notCached, "Date", "@0", cdn, "max-age=3600", "Age", "7200"),
		once("cdn-max-age-space-before-equals", checked, cdnCache, notCached, cc, "max-age=1", cdn, "max-age =100"),
		once("cdn-max-age-space-after-equals", checked, cdnCache, notCached, cc, "max-age=1", cdn, "max-age= 100"),
		once("cdn-max-age-0", required, cdnCache, notCached, cdn, "max-age=0"),
		once("cdn-max-age-extension", optimal, cdnCache, cached, cdn, "foobar, max-age=3600"),
		once("cdn-max-age-case-insensitive", checked, cdnCache, notCached, cdn, "MaX-aGe=3600"),
		once("cdn-max-age-expires", optimal, cdnCache, cached, cdn, "max-age=3600", "Expires", "@-10000", "Date", "@0"),
		once("cdn-max-age-cc-max-age-invalid-expires", optimal, cdnCache, cached, cdn, "max-age=3600", "Expires", "0", "Date", "@0"),
		once("cdn-max-age-0-expires", required, cdnCache, notCached, cdn, "max-age=0", "Expires", "@10000", "Date", "@0"),
		once("cdn-max-age-short-cc-max-age", optimal, cdnCache, cached, cc, "max-age=1", cdn, "max-age=3600"),
		once("cdn-max-age-long-cc-max-age", required, cdnCache, notCached, cc, "max-age=3600", cdn, "max-age=1"),
		twice("cdn-private", required, cdnCache, notCached, cdn, "private", cc, "max-age=10000", "Expires", "@10000", "Date", "@0"),
		twice("cdn-no-cache", required, cdnCache, notCached, cdn, "no-cache", cc, "max-age=10000", "Expires", "@10000", "Date", "@0"),
		once("cdn-no-store-cc-fresh", required, cdnCache, notCached, cc, "max-age=10000", cdn, "no-store", "Expires", "@10000", "Date", "@0"),
		once("cdn-fresh-cc-nostore", required, cdnCache, cached, cc, "no-store", cdn, "max-age=10000"),
		once("cdn-cc-invalid-sh-type-unknown", required, cdnCache, notCached, cdn, "max-age=10000, &&&&&", cc, "no-store"),
		once("cdn-cc-invalid-sh-type-wrong", required, cdnCache, notCached, cdn, `max-age="10000"`, cc, "no-store"),
		{"cdn-remove-header", checked, cdnCache, []step{{give: []string{cc, "max-age=10000", cdn, "foo", "Expires", "@10000", "Date", "@0"}, wantHeader: []string{cdn, "foo"}}}},
		{"cdn-remove-age-exceed", checked, cdnCache, []step{paused(cc, "max-age=1", cdn, "max-age=10000", "Date", "@0"), {wantHeader: []string{"Age", ">2"}}}},
		{"cdn-date-update-exceed", checked, cdnCache, []step{paused(cc, "max-age=1", cdn, "max-age=10000", "Date", "@0"), {wantHeader: []string{"Date", "@0"}}}},
		{"cdn-expires-update-exceed", checked, cdnCache, []step{paused(cc, "max-age=1", "Expires", "@1", cdn, "max-age=10000", "Date", "@0"), {wantHeader: []string{"Expires", "@1"}}}},
	}
}
