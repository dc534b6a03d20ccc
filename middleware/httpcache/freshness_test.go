package httpcache

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func ok(h http.Header) answer {
	return answer{status: 200, header: h, cc: parseDirectives(h["Cache-Control"])}
}

func status(code int, h http.Header) answer {
	a := ok(h)
	a.status = code
	return a
}

// RFC 9111, section 3 (storing), 3.5 (Authorization), 5.2.2.3 (must-understand);
// caching.md 5, 7, 12 and 13.
func TestRFC9111_3_Storable(t *testing.T) {
	for name, test := range map[string]struct {
		asked           http.Header
		answer          answer
		private, shared string
	}{
		"max-age":                                 {answer: ok(header("Cache-Control", "max-age=60"))},
		"nothing said, 200":                       {answer: ok(header())},
		"nothing said, 404":                       {answer: status(404, header())},
		"nothing said, 302":                       {answer: status(302, header()), private: whyNoFreshness, shared: whyNoFreshness},
		"nothing said, 500":                       {answer: status(500, header()), private: whyNoFreshness, shared: whyNoFreshness},
		"max-age, 302":                            {answer: status(302, header("Cache-Control", "max-age=60"))},
		"Expires, 302":                            {answer: status(302, header("Expires", "0"))},
		"public, 302":                             {answer: status(302, header("Cache-Control", "public"))},
		"s-maxage, 302":                           {answer: status(302, header("Cache-Control", "s-maxage=1")), private: whyNoFreshness},
		"private, 302":                            {answer: status(302, header("Cache-Control", "private")), shared: whyPrivate},
		"max-age, an unknown status":              {answer: status(599, header("Cache-Control", "max-age=60"))},
		"must-understand, an unknown status":      {answer: status(599, header("Cache-Control", "max-age=60, must-understand")), private: whyStatus, shared: whyStatus},
		"must-understand outdoes no-store":        {answer: ok(header("Cache-Control", "max-age=60, must-understand, no-store"))},
		"no-store":                                {answer: ok(header("Cache-Control", "no-store, max-age=60")), private: whyNoStore, shared: whyNoStore},
		"no-store in the request":                 {asked: header("Cache-Control", "no-store"), answer: ok(header("Cache-Control", "max-age=60")), private: whyNoStore, shared: whyNoStore},
		"no-cache can be stored":                  {answer: ok(header("Cache-Control", "no-cache"))},
		"a part":                                  {answer: status(206, header("Cache-Control", "max-age=60")), private: whyStatus, shared: whyStatus},
		"a 304":                                   {answer: status(304, header("Cache-Control", "max-age=60")), private: whyStatus, shared: whyStatus},
		"a 101":                                   {answer: status(101, header("Cache-Control", "max-age=60")), private: whyStatus, shared: whyStatus},
		"Vary: *":                                 {answer: ok(header("Cache-Control", "max-age=60", "Vary", "*")), private: whyVary, shared: whyVary},
		"Vary":                                    {answer: ok(header("Cache-Control", "max-age=60", "Vary", "A"))},
		"Set-Cookie":                              {answer: ok(header("Cache-Control", "max-age=60", "Set-Cookie", "a=b")), shared: whySetCookie},
		"Authorization":                           {asked: header("Authorization", "x"), answer: ok(header("Cache-Control", "max-age=60")), shared: whyAuthorization},
		"Authorization with public":               {asked: header("Authorization", "x"), answer: ok(header("Cache-Control", "max-age=60, public"))},
		"Authorization with must-revalidate":      {asked: header("Authorization", "x"), answer: ok(header("Cache-Control", "max-age=60, must-revalidate"))},
		"Authorization with s-maxage":             {asked: header("Authorization", "x"), answer: ok(header("Cache-Control", "s-maxage=60"))},
		"Authorization with proxy-revalidate":     {asked: header("Authorization", "x"), answer: ok(header("Cache-Control", "max-age=60, proxy-revalidate")), shared: whyAuthorization},
		"private, with a field, counts in full":   {answer: ok(header("Cache-Control", `max-age=60, private="a"`)), shared: whyPrivate},
		"no-store counts on a second line":        {answer: ok(header("Cache-Control", "max-age=60", "Cache-Control", "no-store")), private: whyNoStore, shared: whyNoStore},
		"Pragma in a response says nothing":       {answer: ok(header("Cache-Control", "max-age=60", "Pragma", "no-cache"))},
		"a status that carries errors, if fresh":  {answer: status(503, header("Cache-Control", "max-age=60"))},
		"must-understand, a status that is known": {answer: status(404, header("Cache-Control", "must-understand"))},
	} {
		t.Run(name, func(t *testing.T) {
			asked := parseDirectives(test.asked["Cache-Control"])
			require.Equal(t, test.private, storable(policy{}, test.asked, asked, test.answer), "private")
			require.Equal(t, test.shared, storable(policy{shared: true}, test.asked, asked, test.answer), "shared")
		})
	}
}

// RFC 9111, section 4.2.1 (lifetime), 4.2.2 (heuristic) and 5.3 (Expires); caching.md 3 and 4.
func TestRFC9111_4_2_1_Lifetime(t *testing.T) {
	date := func(d time.Duration) string { return noon.Add(d).Format(http.TimeFormat) }
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		answer          answer
		private, shared time.Duration
	}{
		"nothing said":                       {answer: ok(header())},
		"max-age":                            {ok(header("Cache-Control", "max-age=60")), time.Minute, time.Minute},
		"s-maxage is for shared caches":      {ok(header("Cache-Control", "max-age=60, s-maxage=120")), time.Minute, 2 * time.Minute},
		"s-maxage=0":                         {ok(header("Cache-Control", "max-age=60, s-maxage=0")), time.Minute, 0},
		"s-maxage goes before Expires":       {ok(header("Cache-Control", "s-maxage=120", "Expires", date(time.Minute))), time.Minute, 2 * time.Minute},
		"max-age goes before Expires":        {ok(header("Cache-Control", "max-age=60", "Expires", date(time.Hour))), time.Minute, time.Minute},
		"so does max-age=0":                  {answer: ok(header("Cache-Control", "max-age=0", "Expires", date(time.Hour)))},
		"so does a broken max-age":           {answer: ok(header("Cache-Control", "max-age=x", "Expires", date(time.Hour)))},
		"Expires":                            {ok(header("Expires", date(time.Minute))), time.Minute, time.Minute},
		"Expires counts from Date":           {ok(header("Date", date(-time.Minute), "Expires", date(time.Minute))), 2 * time.Minute, 2 * time.Minute},
		"Expires in the past":                {answer: ok(header("Expires", date(-time.Minute)))},
		"Expires: 0":                         {answer: ok(header("Expires", "0"))},
		"an invalid Expires is stale":        {answer: ok(header("Expires", "tomorrow", "Last-Modified", date(-10*day)))},
		"of several Expires the first":       {ok(header("Expires", date(time.Minute), "Expires", date(time.Hour))), time.Minute, time.Minute},
		"a tenth of the time unmodified":     {ok(header("Last-Modified", date(-10*time.Hour))), time.Hour, time.Hour},
		"the heuristic has a bound":          {ok(header("Last-Modified", date(-1000*day))), day, day},
		"modified in the future":             {answer: ok(header("Last-Modified", date(time.Hour)))},
		"no heuristic for a 302":             {answer: status(302, header("Last-Modified", date(-10*time.Hour)))},
		"but for a public one":               {status(302, header("Last-Modified", date(-10*time.Hour), "Cache-Control", "public")), time.Hour, time.Hour},
		"heuristic for a 404":                {status(404, header("Last-Modified", date(-10*time.Hour))), time.Hour, time.Hour},
		"a number too large does not wrap":   {ok(header("Cache-Control", "max-age=99999999999")), maxDelta * time.Second, maxDelta * time.Second},
		"Expires too far ahead doesn't wrap": {ok(header("Expires", "Fri, 31 Dec 9999 23:59:59 GMT")), 1<<63 - 1, 1<<63 - 1},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.private, lifetime(policy{heuristicMax: day}, test.answer, noon), "private")
			require.Equal(t, test.shared, lifetime(policy{heuristicMax: day, shared: true}, test.answer, noon), "shared")
		})
	}
	t.Run("the heuristic can be switched off", func(t *testing.T) {
		require.Zero(t, lifetime(policy{}, ok(header("Last-Modified", date(-10*time.Hour))), noon))
	})
}
