package httpcache

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// stored is an entry that came at noon.
func stored(request http.Header, pairs ...string) *entry {
	resp := &http.Response{StatusCode: 200, Header: header(pairs...)}
	p := policy{heuristicMax: time.Hour}
	return newEntry(p, resp, p.answer(resp), request, noon, noon)
}

func ask(method string, pairs ...string) *query {
	h := header(pairs...)
	return &query{method: method, header: h, cc: parseDirectives(h["Cache-Control"])}
}

type want struct {
	action action
	fwd    string
	ttl    time.Duration
}

func fresh(ttl time.Duration) want { return want{action: serve, ttl: ttl} }
func fwd(reason string) want       { return want{action: forward, fwd: reason} }

type decideTest struct {
	q     *query
	have  *entry
	after time.Duration
	want  want
	in    policy
}

func runDecide(t *testing.T, tests map[string]decideTest) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var have []*entry
			if test.have != nil {
				have = []*entry{test.have}
			}
			d := decide(test.in, test.q, have, noon.Add(test.after))
			require.Equal(t, test.want, want{d.action, d.fwd, d.ttl})
		})
	}
}

// RFC 9111, section 2 and 4: which requests a cache answers at all.
func TestRFC9111_4_WhoIsAnswered(t *testing.T) {
	minute := stored(nil, "Cache-Control", "max-age=60")
	shared := policy{shared: true}
	runDecide(t, map[string]decideTest{
		"GET, nothing stored":    {q: ask("GET"), want: fwd(fwdURIMiss)},
		"GET":                    {q: ask("GET"), have: minute, want: fresh(time.Minute)},
		"HEAD, from a GET":       {q: ask("HEAD"), have: minute, want: fresh(time.Minute)},
		"POST":                   {q: ask("POST"), have: minute, want: fwd(fwdMethod)},
		"OPTIONS":                {q: ask("OPTIONS"), have: minute, want: fwd(fwdMethod)},
		"an unknown method":      {q: ask("FOO"), have: minute, want: fwd(fwdMethod)},
		"methods know case":      {q: ask("get"), have: minute, want: fwd(fwdMethod)},
		"POST by its content":    {q: &query{method: "POST", keyed: true}, have: minute, want: fresh(time.Minute)},
		"a bypass":               {q: &query{method: "GET", bypass: whyOptedOut}, have: minute, want: fwd(fwdBypass)},
		"a refresh":              {q: &query{method: "GET", refresh: true}, have: minute, want: fwd(fwdRequest)},
		"Authorization, private": {q: ask("GET", "Authorization", "x"), have: minute, want: fresh(time.Minute)},
		"Authorization, shared":  {q: ask("GET", "Authorization", "x"), have: minute, in: shared, want: fresh(time.Minute)},
	})
}

// RFC 9111, section 4.2: fresh or not.
func TestRFC9111_4_2_Freshness(t *testing.T) {
	runDecide(t, map[string]decideTest{
		"a second before the end":     {q: ask("GET"), have: stored(nil, "Cache-Control", "max-age=60"), after: 59 * time.Second, want: fresh(time.Second)},
		"at the end":                  {q: ask("GET"), have: stored(nil, "Cache-Control", "max-age=60"), after: time.Minute, want: fwd(fwdStale)},
		"the upstream's Age counts":   {q: ask("GET"), have: stored(nil, "Cache-Control", "max-age=60", "Age", "50"), after: 9 * time.Second, want: fresh(time.Second)},
		"an Age beyond max-age":       {q: ask("GET"), have: stored(nil, "Cache-Control", "max-age=60", "Age", "61"), want: fwd(fwdStale)},
		"stale, with an ETag":         {q: ask("GET"), have: stored(nil, "Cache-Control", "max-age=60", "ETag", `"a"`), after: time.Hour, want: want{revalidate, fwdStale, 0}},
		"stale, with Last-Modified":   {q: ask("GET"), have: stored(nil, "Cache-Control", "max-age=60", "Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"), after: time.Hour, want: want{revalidate, fwdStale, 0}},
		"stale, HEAD":                 {q: ask("HEAD"), have: stored(nil, "Cache-Control", "max-age=60", "ETag", `"a"`), after: time.Hour, want: want{revalidate, fwdStale, 0}},
		"stale, the caller asks too":  {q: ask("GET", "If-None-Match", `"b"`), have: stored(nil, "Cache-Control", "max-age=60", "ETag", `"a"`), after: time.Hour, want: want{revalidate, fwdStale, 0}},
		"stale, the caller has any":   {q: ask("GET", "If-None-Match", `*`), have: stored(nil, "Cache-Control", "max-age=60", "ETag", `"a"`), after: time.Hour, want: fwd(fwdStale)},
		"a clock that was put back":   {q: ask("GET"), have: stored(nil, "Cache-Control", "max-age=60"), after: -time.Hour, want: fresh(time.Minute)},
		"heuristically fresh":         {q: ask("GET"), have: stored(nil, "Last-Modified", noon.Add(-time.Hour).Format(http.TimeFormat)), want: fresh(6 * time.Minute)},
		"no-cache is never fresh":     {q: ask("GET"), have: stored(nil, "Cache-Control", "no-cache, max-age=60"), want: fwd(fwdStale)},
		"no-cache, with an ETag":      {q: ask("GET"), have: stored(nil, "Cache-Control", "no-cache, max-age=60", "Etag", `"a"`), want: want{revalidate, fwdStale, 0}},
		"s-maxage in a private cache": {q: ask("GET"), have: stored(nil, "Cache-Control", "max-age=60, s-maxage=0"), want: fresh(time.Minute)},
	})
}

// RFC 9111, section 5.2.1: what requests ask for; caching.md 14.
func TestRFC9111_5_2_1_RequestDirectives(t *testing.T) {
	minute := stored(nil, "Cache-Control", "max-age=60")
	stale := func(cc string) *entry { return stored(nil, "Cache-Control", cc) }
	shared := policy{shared: true}
	runDecide(t, map[string]decideTest{
		"5.2.1.1 max-age":                        {q: ask("GET", "Cache-Control", "max-age=30"), have: minute, after: 30 * time.Second, want: fresh(30 * time.Second)},
		"5.2.1.1 older than max-age":             {q: ask("GET", "Cache-Control", "max-age=30"), have: minute, after: 31 * time.Second, want: fwd(fwdRequest)},
		"5.2.1.1 max-age=0":                      {q: ask("GET", "Cache-Control", "max-age=0"), have: minute, after: time.Second, want: fwd(fwdRequest)},
		"5.2.1.1 a broken max-age":               {q: ask("GET", "Cache-Control", "max-age=x"), have: minute, after: time.Second, want: fwd(fwdRequest)},
		"5.2.1.1 max-age with max-stale":         {q: ask("GET", "Cache-Control", "max-age=30, max-stale=5"), have: minute, after: 35 * time.Second, want: fresh(25 * time.Second)},
		"5.2.1.1 max-age beyond max-stale":       {q: ask("GET", "Cache-Control", "max-age=30, max-stale=5"), have: minute, after: 36 * time.Second, want: fwd(fwdRequest)},
		"5.2.1.2 max-stale":                      {q: ask("GET", "Cache-Control", "max-stale=30"), have: minute, after: 90 * time.Second, want: fresh(-30 * time.Second)},
		"5.2.1.2 beyond max-stale":               {q: ask("GET", "Cache-Control", "max-stale=30"), have: minute, after: 91 * time.Second, want: fwd(fwdStale)},
		"5.2.1.2 any max-stale":                  {q: ask("GET", "Cache-Control", "max-stale"), have: minute, after: time.Hour, want: fresh(time.Minute - time.Hour)},
		"5.2.2.2 must-revalidate forbids it":     {q: ask("GET", "Cache-Control", "max-stale"), have: stale("max-age=60, must-revalidate"), after: time.Hour, want: fwd(fwdStale)},
		"5.2.2.8 proxy-revalidate, private":      {q: ask("GET", "Cache-Control", "max-stale"), have: stale("max-age=60, proxy-revalidate"), after: 2 * time.Minute, want: fresh(-time.Minute)},
		"5.2.2.8 proxy-revalidate, shared":       {q: ask("GET", "Cache-Control", "max-stale"), have: stale("max-age=60, proxy-revalidate"), after: 2 * time.Minute, in: shared, want: fwd(fwdStale)},
		"5.2.2.10 s-maxage, shared":              {q: ask("GET", "Cache-Control", "max-stale"), have: stale("s-maxage=60"), after: 2 * time.Minute, in: shared, want: fwd(fwdStale)},
		"5.2.2.4 no-cache forbids it":            {q: ask("GET", "Cache-Control", "max-stale"), have: stale("max-age=60, no-cache"), want: fwd(fwdStale)},
		"5.2.1.3 min-fresh":                      {q: ask("GET", "Cache-Control", "min-fresh=30"), have: minute, after: 30 * time.Second, want: fresh(30 * time.Second)},
		"5.2.1.3 less than min-fresh":            {q: ask("GET", "Cache-Control", "min-fresh=30"), have: minute, after: 31 * time.Second, want: fwd(fwdRequest)},
		"5.2.1.4 no-cache":                       {q: ask("GET", "Cache-Control", "no-cache"), have: minute, want: fwd(fwdRequest)},
		"5.2.1.4 no-cache, with an ETag":         {q: ask("GET", "Cache-Control", "no-cache"), have: stored(nil, "Cache-Control", "max-age=60", "Etag", `"a"`), want: want{revalidate, fwdRequest, 0}},
		"5.2.1.5 no-store":                       {q: ask("GET", "Cache-Control", "no-store"), have: minute, want: fwd(fwdRequest)},
		"5.2.1.7 only-if-cached":                 {q: ask("GET", "Cache-Control", "only-if-cached"), have: minute, want: fresh(time.Minute)},
		"5.2.1.7 only-if-cached, nothing stored": {q: ask("GET", "Cache-Control", "only-if-cached"), want: want{unavailable, fwdURIMiss, 0}},
		"5.2.1.7 only-if-cached, stale":          {q: ask("GET", "Cache-Control", "only-if-cached"), have: minute, after: time.Hour, want: want{unavailable, fwdStale, 0}},
		"5.2.1.7 only-if-cached, POST":           {q: ask("POST", "Cache-Control", "only-if-cached"), have: minute, want: want{unavailable, "", 0}},
		"5.2.1.7 only-if-cached, a bypass":       {q: &query{method: "GET", bypass: whyOptedOut, cc: directives{flags: onlyIfCached}}, have: minute, want: fwd(fwdBypass)},
		"5.2.1.7 only-if-cached, a range":        {q: &query{method: "GET", bypass: whyRange, cc: directives{flags: onlyIfCached}}, have: minute, want: want{unavailable, "", 0}},
		"5.2.1.7 only-if-cached and no-cache":    {q: ask("GET", "Cache-Control", "only-if-cached, no-cache"), have: minute, want: want{unavailable, fwdRequest, 0}},
	})
}

// RFC 9111, section 4.1: several variants.
func TestRFC9111_4_1_Selection(t *testing.T) {
	en := stored(header("Accept-Language", "en"), "Cache-Control", "max-age=60", "Vary", "Accept-Language")
	de := stored(header("Accept-Language", "de"), "Cache-Control", "max-age=60", "Vary", "Accept-Language")
	all := []*entry{de, en}
	require.Same(t, en, decide(policy{}, ask("GET", "Accept-Language", "en"), all, noon).entry)
	require.Same(t, de, decide(policy{}, ask("GET", "Accept-Language", "de"), all, noon).entry)
	for name, q := range map[string]*query{"another value": ask("GET", "Accept-Language", "fr"), "none": ask("GET")} {
		d := decide(policy{}, q, all, noon)
		require.Equal(t, want{forward, fwdVaryMiss, 0}, want{d.action, d.fwd, d.ttl}, name)
	}
}

// RFC 9110, section 13.1.2, 13.1.3 and 13.2.2: the caller's own conditions; caching.md 9.
func TestRFC9110_13_Conditions(t *testing.T) {
	const early, date, late = "Sun, 06 Nov 1994 08:49:36 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT"
	e := stored(nil, "Cache-Control", "max-age=60", "Etag", `"a"`, "Last-Modified", date)
	weak := stored(nil, "Cache-Control", "max-age=60", "Etag", `W/"a"`)
	none := stored(nil, "Cache-Control", "max-age=60")
	for name, test := range map[string]struct {
		q    *query
		e    *entry
		want bool
	}{
		"no condition":                       {ask("GET"), e, false},
		"the tag":                            {ask("GET", "If-None-Match", `"a"`), e, true},
		"another tag":                        {ask("GET", "If-None-Match", `"b"`), e, false},
		"one of several":                     {ask("GET", "If-None-Match", `"b", "a"`), e, true},
		"one on another line":                {ask("GET", "If-None-Match", `"b"`, "If-None-Match", `"a"`), e, true},
		"weak comparison":                    {ask("GET", "If-None-Match", `W/"a"`), e, true},
		"weak comparison the other way":      {ask("GET", "If-None-Match", `"a"`), weak, true},
		"a star":                             {ask("GET", "If-None-Match", `*`), none, true},
		"a tag with a comma":                 {ask("GET", "If-None-Match", `"b,a", "c"`), e, false},
		"a tag, none stored":                 {ask("GET", "If-None-Match", `"a"`), none, false},
		"a tag that is none":                 {ask("GET", "If-None-Match", `a`), e, false},
		"an empty field":                     {ask("GET", "If-None-Match", ``), e, false},
		"a tag goes before a date":           {ask("GET", "If-None-Match", `"b"`, "If-Modified-Since", late), e, false},
		"not modified since":                 {ask("GET", "If-Modified-Since", date), e, true},
		"not modified since long":            {ask("GET", "If-Modified-Since", late), e, true},
		"modified since":                     {ask("GET", "If-Modified-Since", early), e, false},
		"a date that is none":                {ask("GET", "If-Modified-Since", "yesterday"), e, false},
		"a date, no Last-Modified is stored": {ask("GET", "If-Modified-Since", date), none, false},
		"HEAD":                               {ask("HEAD", "If-None-Match", `"a"`), e, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := decide(policy{}, test.q, []*entry{test.e}, noon)
			require.Equal(t, serve, d.action)
			require.Equal(t, test.want, d.notModified)
		})
	}
}

// What may be shared with others, and what may be stored.
func TestMissesThatMayBeSharedAndStored(t *testing.T) {
	for name, test := range map[string]struct {
		q            *query
		share, store bool
	}{
		"GET":                       {ask("GET"), true, true},
		"HEAD":                      {ask("HEAD"), false, false},
		"POST":                      {ask("POST"), false, false},
		"POST by its content":       {&query{method: "POST", keyed: true}, true, true},
		"a refresh":                 {&query{method: "GET", refresh: true}, false, true},
		"a bypass":                  {&query{method: "GET", bypass: whyRange}, false, false},
		"no-store":                  {ask("GET", "Cache-Control", "no-store"), false, false},
		"no-cache":                  {ask("GET", "Cache-Control", "no-cache"), false, true},
		"max-age=0":                 {ask("GET", "Cache-Control", "max-age=0"), false, true},
		"the caller's own ETag":     {ask("GET", "If-None-Match", `"a"`), false, true},
		"the caller's own date":     {ask("GET", "If-Modified-Since", "x"), false, true},
		"max-stale, nothing stored": {ask("GET", "Cache-Control", "max-stale"), true, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := decide(policy{}, test.q, nil, noon)
			require.Equal(t, test.share, d.mayShare, "share")
			require.Equal(t, test.store, d.mayStore, "store")
		})
	}
}

// Whatever the directives: an answer that is served is fresh, or the request
// allowed it to be stale and the answer did not forbid it; and nothing is served
// against no-store and no-cache.
func TestDecideNeverServesWhatIsForbidden(t *testing.T) {
	directive := rapid.SampledFrom([]string{
		"no-store", "no-cache", "private", "public", "must-revalidate", "proxy-revalidate", "max-age=0", "max-age=30",
		"max-age=60", "max-age=x", "s-maxage=0", "s-maxage=60", "max-stale", "max-stale=30", "min-fresh=10", "min-fresh=90", "only-if-cached",
	})
	rapid.Check(t, func(t *rapid.T) {
		p := policy{shared: rapid.Bool().Draw(t, "shared"), heuristicMax: time.Hour}
		given := header("Cache-Control", joined(rapid.SliceOfN(directive, 0, 4).Draw(t, "given")))
		resp := &http.Response{StatusCode: 200, Header: given}
		e := newEntry(p, resp, p.answer(resp), nil, noon, noon)
		q := ask("GET", "Cache-Control", joined(rapid.SliceOfN(directive, 0, 4).Draw(t, "asked")))
		now := noon.Add(time.Duration(rapid.IntRange(0, 120).Draw(t, "seconds")) * time.Second)
		d := decide(p, q, []*entry{e}, now)
		if q.cc.has(onlyIfCached) && d.action != serve && d.action != unavailable {
			t.Fatal("sent upstream against only-if-cached")
		}
		if d.action != serve {
			return
		}
		if q.cc.has(noStore|noCache) || e.cc.has(noCache) {
			t.Fatal("served against no-store or no-cache")
		}
		if q.cc.maxAge.set && d.age > q.cc.maxAge.duration() && !q.cc.has(anyStale) && !q.cc.maxStale.set {
			t.Fatal("older than the request allows")
		}
		if d.ttl > 0 {
			return
		}
		if !q.cc.has(anyStale) && !(q.cc.maxStale.set && -d.ttl <= q.cc.maxStale.duration()) {
			t.Fatal("staler than the request allows")
		}
		if e.cc.has(mustRevalidate) || p.shared && (e.cc.has(proxyRevalidate) || e.cc.sMaxAge.set) {
			t.Fatal("stale although the answer forbids it")
		}
	})
}

func joined(s []string) string {
	out := ""
	for _, x := range s {
		out += x + ","
	}
	return out
}
