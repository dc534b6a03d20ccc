package httpcache

import (
	"context"
	"net/http"
	"strings"
)

// mergeable tells whether validators of stored answers can join the conditions
// of a request: not where its If-None-Match is "*" or can't be read.
func mergeable(h http.Header) bool {
	for _, line := range h["If-None-Match"] {
		for rest := strings.TrimLeft(line, " \t,"); rest != ""; rest = strings.TrimLeft(rest, " \t,") {
			_, after, ok := nextETag(rest)
			if !ok {
				return false
			}
			rest = after
		}
	}
	return true
}

// condition adds the offered answers' validators to a request's header (RFC
// 9111, section 4.3.1): their entity tags to those of the caller, and the
// selected answer's Last-Modified in place of the caller's date.
func (d *decision) condition(h http.Header) {
	given := h["If-None-Match"]
	tags := given
	for _, e := range d.offered {
		if tag := e.etag(); tag != "" && (len(given) == 0 || !noneMatchFails(given, tag)) {
			tags = append(tags[:len(tags):len(tags)], tag)
		}
	}
	if len(tags) > 0 {
		h["If-None-Match"] = []string{strings.Join(tags, ", ")}
	}
	if d.entry != nil {
		if v, found := d.entry.header.first("Last-Modified"); found {
			h["If-Modified-Since"] = []string{v}
		}
	}
}

// conditioned is a copy of the request with the offered answers' validators.
func (d *decision) conditioned(req *http.Request) *http.Request {
	c := *req
	c.Header = req.Header.Clone()
	if c.Header == nil {
		c.Header = make(http.Header)
	}
	d.condition(c.Header)
	return &c
}

// send asks the upstream, with the validators of stored answers where there are
// any. A 304 then selects the stored answer that it is about, which is entry from
// then on. One that is about none of them must not make any fresh (RFC 9111,
// section 4.3.4): it is the caller's own, or the request is sent again without.
func (l *lookup) send(ctx context.Context, d *decision, req *http.Request, next http.RoundTripper) (*http.Response, error) {
	if d.action != revalidate {
		return next.RoundTrip(req)
	}
	resp, err := next.RoundTrip(d.conditioned(req))
	if err != nil || resp.StatusCode != http.StatusNotModified {
		return resp, err
	}
	selected := d.entry
	if d.entry = identify(resp.Header, d.offered); d.entry != nil && l.load(ctx, d) {
		return resp, nil
	}
	d.action, d.entry = forward, selected
	if tag := etagOf(resp.Header); tag != "" && noneMatchFails(req.Header["If-None-Match"], tag) {
		return resp, nil
	}
	_ = resp.Body.Close()
	again := *req
	if again.GetBody != nil {
		if again.Body, err = again.GetBody(); err != nil {
			return nil, err
		}
	}
	return next.RoundTrip(&again)
}

// identify gives the answer that a 304 is about (RFC 9111, section 4.3.4): the
// newest with its entity tag, or with its Last-Modified if it has no tag. One
// that says neither is about the only answer that it can be about.
func identify(h http.Header, offered []*entry) *entry {
	if tag := etagOf(h); tag != "" {
		for _, e := range offered {
			if stored := e.etag(); stored == tag || !strong(tag) && stored != "" && opaque(stored) == opaque(tag) {
				return e
			}
		}
		return nil
	}
	if v := h["Last-Modified"]; len(v) > 0 {
		for _, e := range offered {
			if stored, found := e.header.first("Last-Modified"); found && stored == v[0] {
				return e
			}
		}
	}
	if len(offered) == 1 {
		return offered[0]
	}
	return nil
}

func etagOf(h http.Header) string {
	if v := h["Etag"]; len(v) > 0 {
		return v[0]
	}
	return ""
}
