package httpcache

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// byteRange is a range as it was asked for (RFC 9110, section 14.1.2): from
// first to last, from first on if last is -1, or the last bytes if first is -1.
type byteRange struct{ first, last int64 }

// parseRange reads a Range field. What is not in bytes, or against the grammar,
// is not understood: that is for the upstream to answer or to ignore.
func parseRange(lines []string) (ranges []byteRange, understood bool) {
	if len(lines) != 1 {
		return nil, false
	}
	unit, set, ok := strings.Cut(lines[0], "=")
	if !ok || !strings.EqualFold(unit, "bytes") {
		return nil, false
	}
	for spec := range strings.SplitSeq(set, ",") {
		if spec = strings.Trim(spec, " \t"); spec == "" {
			continue
		}
		r, ok := parseRangeSpec(spec)
		if !ok {
			return nil, false
		}
		ranges = append(ranges, r)
	}
	return ranges, len(ranges) > 0
}

func parseRangeSpec(spec string) (r byteRange, ok bool) {
	from, to, ok := strings.Cut(spec, "-")
	if !ok {
		return r, false
	}
	r = byteRange{-1, -1}
	if from != "" {
		if r.first, ok = parsePosition(from); !ok {
			return r, false
		}
	}
	if to != "" {
		if r.last, ok = parsePosition(to); !ok {
			return r, false
		}
	}
	switch {
	case from == "":
		return r, to != ""
	case to == "":
		return r, true
	}
	return r, r.first <= r.last
}

// parsePosition reads digits, nothing else; what is too large for an int64 is the largest.
func parsePosition(s string) (n int64, ok bool) {
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		if n > (math.MaxInt64-9)/10 {
			n = math.MaxInt64
			continue
		}
		n = n*10 + int64(c-'0')
	}
	return n, s != ""
}

// within gives the bytes of a body of the given size that the range is about,
// without the one at end. ok is false if there are none.
func (r byteRange) within(size int64) (start, end int64, ok bool) {
	switch {
	case r.first < 0:
		start, end = max(0, size-r.last), size
	case r.last < 0 || r.last >= size:
		start, end = r.first, size
	default:
		start, end = r.first, r.last+1
	}
	return start, end, start < end
}

// part is as much of a stored body as a request is answered with.
type part struct {
	kind       partKind
	start, end int64
}

type partKind uint8

const (
	whole         partKind = iota // all of it
	partial                       // 206: the bytes from start to end
	unsatisfiable                 // 416: nothing of what was asked for is there
)

// part gives what of a stored answer a request gets (RFC 9110, section 14.2).
// Several ranges are answered with the whole body, which the RFC leaves to the
// server: the body is in memory, so that multipart/byteranges would save nobody
// anything, and many small ranges can't make the answer larger than the body.
func (q *query) part(e *entry, now time.Time) part {
	size := e.bodyBytes()
	if len(q.ranges) == 0 || e.status != http.StatusOK || size == 0 || !rangeHolds(q.header, e, now) {
		return part{}
	}
	found, p := 0, part{kind: unsatisfiable}
	for _, r := range q.ranges {
		if start, end, ok := r.within(size); ok {
			found++
			p = part{partial, start, end}
		}
	}
	if found > 1 {
		return part{}
	}
	return p
}

// rangeHolds tells whether the request's If-Range lets the range be answered: it
// has to be the stored answer's strong validator (RFC 9110, section 13.1.5).
func rangeHolds(h http.Header, e *entry, now time.Time) bool {
	lines := h["If-Range"]
	switch {
	case len(lines) == 0:
		return true
	case len(lines) > 1:
		return false
	case strings.HasPrefix(lines[0], `"`):
		return lines[0] == e.etag()
	}
	asked, ok := parseDate(lines[0], now)
	if !ok {
		return false
	}
	modified, ok := e.header.date("Last-Modified", now)
	if !ok || !modified.Equal(asked) {
		return false
	}
	// A date is strong if the answer was not made in the same second (section 8.8.2.2).
	date, ok := e.header.date("Date", now)
	return ok && date.Sub(modified) >= time.Second
}

// slice makes a response one with a part of the body.
func (h *hit) slice(p part, e *entry) {
	size := e.bodyBytes()
	header := h.resp.Header
	if p.kind == unsatisfiable {
		describesNoContent(header)
		h.resp.Status, h.resp.StatusCode = "416 Requested Range Not Satisfiable", http.StatusRequestedRangeNotSatisfiable
		h.resp.Body, h.resp.ContentLength = http.NoBody, 0
		header["Content-Range"] = []string{"bytes */" + strconv.FormatInt(size, 10)}
	} else {
		h.resp.Status, h.resp.StatusCode = "206 Partial Content", http.StatusPartialContent
		h.resp.ContentLength = p.end - p.start
		h.body.rest = e.body[p.start:p.end]
		h.resp.Body = &h.body
		header["Content-Range"] = []string{"bytes " + strconv.FormatInt(p.start, 10) + "-" +
			strconv.FormatInt(p.end-1, 10) + "/" + strconv.FormatInt(size, 10)}
	}
	header["Content-Length"] = []string{strconv.FormatInt(h.resp.ContentLength, 10)}
}

// bodyBytes is the length of the stored body, also while it is not loaded.
func (e *entry) bodyBytes() int64 { return max(int64(len(e.body)), e.bodySize) }
