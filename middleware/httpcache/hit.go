package httpcache

import (
	"io"
	"net/http"
	"strconv"
)

// hit is a response made from an entry, in one allocation but for the header's
// map and the text of two fields.
type hit struct {
	resp   http.Response
	body   sharedBody
	own    [2]string  // Age and Cache-Status
	stored [14]string // the values of the other fields, if there are no more
}

// respond makes the response to a request that the entry answers.
// Cache-Status says that it is a hit, or what it says instead.
func respond(req *http.Request, d *decision, instead *missStatus) *http.Response {
	e := d.entry
	h := &hit{}
	h.resp = http.Response{
		Status: e.statusLine, StatusCode: e.status,
		Proto: e.proto, ProtoMajor: e.major, ProtoMinor: e.minor,
		Header: e.header.header(h.stored[:], len(h.own)), Request: req,
		ContentLength: int64(len(e.body)), Uncompressed: e.uncompressed,
	}
	if d.notModified {
		h.resp.Status, h.resp.StatusCode = "304 Not Modified", http.StatusNotModified
		describesNoContent(h.resp.Header)
		h.resp.ContentLength = 0
	}
	switch {
	case d.notModified || len(e.body) == 0 && req.Method != http.MethodHead:
		h.resp.Body = http.NoBody
	case d.part.kind != whole:
		h.slice(d.part, e)
	case req.Method == http.MethodHead:
		h.resp.Body, h.resp.ContentLength = http.NoBody, e.contentLength()
	default:
		h.body.rest = e.body
		h.resp.Body = &h.body
		if e.trailer != nil {
			h.resp.Trailer = e.trailer.Clone()
		}
	}
	h.label(d, instead)
	return &h.resp
}

// label sets Age and Cache-Status. Both texts share one string.
func (h *hit) label(d *decision, instead *missStatus) {
	var room [96]byte
	b := strconv.AppendInt(room[:0], seconds(d.age), 10)
	n := len(b)
	if instead != nil {
		b = append(b, instead.String()...)
	} else {
		b = appendTTL(append(b, cacheName+"; hit"...), d.ttl)
		b = appendKey(b, d.key)
		if d.refresh {
			b = append(b, "; detail="+whyStaleWhileRevalidate...)
		}
	}
	text := string(b)
	h.own = [2]string{text[:n], text[n:]}
	h.resp.Header["Age"] = h.own[0:1:1]
	if upstream := h.resp.Header[cacheStatus]; len(upstream) > 0 {
		h.resp.Header[cacheStatus] = append(upstream, h.own[1])
		return
	}
	h.resp.Header[cacheStatus] = h.own[1:2:2]
}

// describesNoContent takes from a header what a 304 need not say (RFC 9110, section 15.4.5).
func describesNoContent(h http.Header) {
	for _, name := range [...]string{"Content-Length", "Content-Type", "Content-Encoding", "Content-Language", "Content-Range"} {
		delete(h, name)
	}
}

// sharedBody reads bytes that it shares with the entry and with every other
// reader of it. Each response has its own. It is not a Writer to anybody's memory:
// WriteTo hands the bytes to an io.Writer, which must not modify them.
type sharedBody struct{ rest []byte }

// Read copies the next bytes.
func (b *sharedBody) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// WriteTo writes the rest without an intermediate copy.
func (b *sharedBody) WriteTo(w io.Writer) (int64, error) {
	if len(b.rest) == 0 {
		return 0, nil
	}
	n, err := w.Write(b.rest)
	b.rest = b.rest[n:]
	return int64(n), err
}

// Close drops what was not read.
func (b *sharedBody) Close() error {
	b.rest = nil
	return nil
}
