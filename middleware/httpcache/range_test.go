package httpcache_test

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/httpcache"
)

// RFC 9110, section 14; caching.md 12: parts of a stored whole.
func TestRFC9110_14_Range(t *testing.T) {
	const (
		lastModified = "Thu, 20 Nov 2025 10:00:00 GMT"
		later        = "Thu, 20 Nov 2025 10:00:01 GMT"
	)
	type want struct {
		status       int
		body         string
		contentRange string
	}
	all := want{200, "0123456789", ""}
	for name, test := range map[string]struct {
		asked []string
		given []string // besides Cache-Control and Date
		want  want
	}{
		"14.1.2 first and last":               {asked: []string{"Range", "bytes=2-4"}, want: want{206, "234", "bytes 2-4/10"}},
		"14.1.2 one byte":                     {asked: []string{"Range", "bytes=0-0"}, want: want{206, "0", "bytes 0-0/10"}},
		"14.1.2 all of it":                    {asked: []string{"Range", "bytes=0-9"}, want: want{206, "0123456789", "bytes 0-9/10"}},
		"14.1.2 beyond the end":               {asked: []string{"Range", "bytes=8-99"}, want: want{206, "89", "bytes 8-9/10"}},
		"14.1.2 to the end":                   {asked: []string{"Range", "bytes=7-"}, want: want{206, "789", "bytes 7-9/10"}},
		"14.1.2 the last":                     {asked: []string{"Range", "bytes=-3"}, want: want{206, "789", "bytes 7-9/10"}},
		"14.1.2 more than there are":          {asked: []string{"Range", "bytes=-99"}, want: want{206, "0123456789", "bytes 0-9/10"}},
		"14.1.2 beyond an int64":              {asked: []string{"Range", "bytes=5-99999999999999999999"}, want: want{206, "56789", "bytes 5-9/10"}},
		"14.1.2 from the end":                 {asked: []string{"Range", "bytes=10-"}, want: want{416, "", "bytes */10"}},
		"14.1.2 the last none":                {asked: []string{"Range", "bytes=-0"}, want: want{416, "", "bytes */10"}},
		"14.1.2 two, both beyond":             {asked: []string{"Range", "bytes=10-11, 20-"}, want: want{416, "", "bytes */10"}},
		"14.1.2 two, one beyond":              {asked: []string{"Range", "bytes=1-2, 20-"}, want: want{206, "12", "bytes 1-2/10"}},
		"14.1.1 the unit's case is all one":   {asked: []string{"Range", "BYTES=1-2"}, want: want{206, "12", "bytes 1-2/10"}},
		"5.6.1 a list may have gaps":          {asked: []string{"Range", "bytes= , 1-2 ,"}, want: want{206, "12", "bytes 1-2/10"}},
		"14.2 two ranges get the whole":       {asked: []string{"Range", "bytes=0-1, 3-4"}, want: all},
		"13.1.5 If-Range, the same tag":       {asked: []string{"Range", "bytes=2-4", "If-Range", `"a"`}, given: []string{"ETag", `"a"`}, want: want{206, "234", "bytes 2-4/10"}},
		"13.1.5 If-Range, another tag":        {asked: []string{"Range", "bytes=2-4", "If-Range", `"b"`}, given: []string{"ETag", `"a"`}, want: all},
		"13.1.5 If-Range, a weak tag":         {asked: []string{"Range", "bytes=2-4", "If-Range", `W/"a"`}, given: []string{"ETag", `W/"a"`}, want: all},
		"13.1.5 If-Range, half a weak tag":    {asked: []string{"Range", "bytes=2-4", "If-Range", `"a"`}, given: []string{"ETag", `W/"a"`}, want: all},
		"13.1.5 If-Range, no tag stored":      {asked: []string{"Range", "bytes=2-4", "If-Range", `"a"`}, want: all},
		"13.1.5 If-Range, twice":              {asked: []string{"Range", "bytes=2-4", "If-Range", `"a"`, "If-Range", `"a"`}, given: []string{"ETag", `"a"`}, want: all},
		"13.1.5 If-Range, the same date":      {asked: []string{"Range", "bytes=2-4", "If-Range", lastModified}, given: []string{"Last-Modified", lastModified, "Date", later}, want: want{206, "234", "bytes 2-4/10"}},
		"13.1.5 If-Range, a later date":       {asked: []string{"Range", "bytes=2-4", "If-Range", later}, given: []string{"Last-Modified", lastModified, "Date", later}, want: all},
		"13.1.5 If-Range, a weak date":        {asked: []string{"Range", "bytes=2-4", "If-Range", later}, given: []string{"Last-Modified", later, "Date", later}, want: all},
		"13.1.5 If-Range, no date":            {asked: []string{"Range", "bytes=2-4", "If-Range", "yesterday"}, given: []string{"Last-Modified", lastModified}, want: all},
		"13.1.5 If-Range without Range":       {asked: []string{"If-Range", `"b"`}, given: []string{"ETag", `"a"`}, want: all},
		"13.2.2 If-None-Match outranks Range": {asked: []string{"Range", "bytes=2-4", "If-None-Match", `"a"`}, given: []string{"ETag", `"a"`}, want: want{304, "", ""}},
		"13.2.2 and lets it be if it fails":   {asked: []string{"Range", "bytes=2-4", "If-None-Match", `"b"`}, given: []string{"ETag", `"a"`}, want: want{206, "234", "bytes 2-4/10"}},
	} {
		bubble(t, name, func(t *testing.T) {
			given := append([]string{"Cache-Control", "max-age=9999999999", "Content-Type", "text/plain", "Content-Length", "10"}, test.given...)
			up := always(200, "0123456789", given...)
			c := newClient(t, up, nil)
			c.get()
			r := c.get(test.asked...)
			require.Equal(t, 1, up.count())
			require.Equal(t, test.want, want{r.status, r.body, r.header.Get("Content-Range")})
			require.Contains(t, r.cached, "headgate; hit")
			if r.status == 206 || r.status == 416 {
				require.EqualValues(t, len(r.body), r.resp.ContentLength)
				require.Equal(t, []string{strconv.Itoa(len(r.body))}, r.header["Content-Length"])
				require.Equal(t, http.StatusText(r.status), r.resp.Status[4:])
			}
			require.Equal(t, r.status == 206 || r.status == 200, r.header.Get("Content-Type") == "text/plain")
			require.Equal(t, "0123456789", c.get().body, "the stored whole is as it was")
		})
	}
}

// What is not in bytes, or not understood, is the upstream's to answer.
func TestRFC9110_14_2_RangesThatPassBy(t *testing.T) {
	for _, asked := range []string{"pages=1-2", "bytes", "bytes=", "bytes=,", "bytes=a-b", "bytes=4-2", "bytes=-", "bytes=1-2x", "bytes=--1", "bytes 1-2", "=1-2"} {
		bubble(t, asked, func(t *testing.T) {
			up := always(200, "0123456789", "Cache-Control", "max-age=60")
			c := newClient(t, up, nil)
			c.get()
			require.Equal(t, "headgate; fwd=bypass; detail=RANGE", c.get("Range", asked).cached)
			require.Equal(t, asked, up.request(1).Header.Get("Range"))
		})
	}
	bubble(t, "two lines", func(t *testing.T) {
		c := newClient(t, always(200, "0123456789", "Cache-Control", "max-age=60"), nil)
		c.get()
		require.Equal(t, "headgate; fwd=bypass; detail=RANGE", c.get("Range", "bytes=1-2", "Range", "bytes=1-2").cached)
	})
}

// What is not a 200 with a body has no parts, and HEAD has none.
func TestRFC9110_14_2_RangeIsIgnored(t *testing.T) {
	for name, test := range map[string]struct {
		status       int
		body, method string
	}{
		"a 404":         {404, "gone", "GET"},
		"an empty body": {200, "", "GET"},
		"HEAD":          {200, "hello", "HEAD"},
	} {
		bubble(t, name, func(t *testing.T) {
			up := always(test.status, test.body, "Cache-Control", "max-age=60")
			c := newClient(t, up, nil)
			c.get()
			r := c.do(t.Context(), test.method, pageURL, "", "Range", "bytes=1-2")
			require.Equal(t, test.status, r.status)
			require.Contains(t, r.cached, "headgate; hit")
			require.Equal(t, 1, up.count())
		})
	}
}

// A miss with a Range: a whole that comes instead of the part is stored, a part never.
func TestRangeOfWhatIsNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := sequence(
			func() *http.Response {
				return respond(206, "12", "Cache-Control", "max-age=60", "Content-Range", "bytes 1-2/5", "ETag", `"a"`)
			},
			page("01234", "Cache-Control", "max-age=60", "ETag", `"a"`),
		)
		c := newClient(t, up, nil)
		require.Equal(t, "headgate; fwd=uri-miss; detail=STATUS", c.get("Range", "bytes=1-2").cached)
		require.Equal(t, "bytes=1-2", up.request(0).Header.Get("Range"))
		require.Equal(t, "01234", c.get("Range", "bytes=1-2").body)
		r := c.get("Range", "bytes=1-2")
		require.Equal(t, 206, r.status)
		require.Equal(t, "12", r.body)
		require.Equal(t, 2, up.count())
	})
}

// A stale whole is asked about with its validator and the range: a 304 makes it
// fresh and the part is cut from it; a part of something newer is passed on.
func TestRangeOfWhatIsStale(t *testing.T) {
	for name, test := range map[string]struct {
		then      func() *http.Response
		body      string
		status    string
		wholeThen string
	}{
		"confirmed": {then: func() *http.Response { return respond(304, "", "ETag", `"a"`) }, body: "12",
			status: "headgate; fwd=stale; fwd-status=304; stored; ttl=60", wholeThen: "01234"},
		"a part of the next": {then: func() *http.Response {
			return respond(206, "BC", "Cache-Control", "max-age=60", "ETag", `"b"`, "Content-Range", "bytes 1-2/5")
		}, body: "BC", status: "headgate; fwd=stale; detail=STATUS", wholeThen: "again"},
	} {
		bubble(t, name, func(t *testing.T) {
			up := sequence(page("01234", "Cache-Control", "max-age=60", "ETag", `"a"`), test.then, page("again", "Cache-Control", "max-age=60"))
			c := newClient(t, up, func(c *httpcache.Config) { c.MaxVariants = 1 })
			c.get()
			time.Sleep(2 * time.Minute)
			r := c.get("Range", "bytes=1-2")
			require.Equal(t, 206, r.status)
			require.Equal(t, test.body, r.body)
			require.Equal(t, test.status, r.cached)
			require.Equal(t, `"a"`, up.request(1).Header.Get("If-None-Match"))
			require.Equal(t, "bytes=1-2", up.request(1).Header.Get("Range"))
			require.Equal(t, test.wholeThen, c.get().body)
		})
	}
}

// Callers who want different parts of a miss do not wait for each other.
func TestRangesAreNotShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answer: func(_ int, req *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return respond(206, req.Header.Get("Range"), "Content-Range", "bytes 0-0/9"), nil
		}}
		c := newClient(t, up, nil)
		a, b := c.launch(t.Context(), "Range", "bytes=0-0"), c.launch(t.Context(), "Range", "bytes=1-1")
		first, second := <-a, <-b
		require.Equal(t, "bytes=0-0", first.body)
		require.Equal(t, "bytes=1-1", second.body)
		require.Equal(t, time.Second, second.took)
	})
}
