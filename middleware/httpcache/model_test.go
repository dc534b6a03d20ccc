package httpcache_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// said is one thing that the origin has said: an answer, or that an older answer is still good.
type said struct {
	id, resource, version int
	came                  time.Time // when it was asked for
	cc, tag, body         string
	vary                  bool
	value                 string // of X-A in the request
	confirms              bool   // a 304
}

// put is a change of a resource.
type put struct {
	resource int
	applied  time.Time
}

// directive gives the argument of a directive in seconds, and whether it is there.
func directive(cc, name string) (int, bool) {
	for member := range strings.SplitSeq(cc, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(member), "=")
		if key == name {
			n, _ := strconv.Atoi(value)
			return n, true
		}
	}
	return 0, false
}

// judge complains of an answer that must not have been given. It knows the rules in their simplest form and
// nothing of how the cache works: what the last word of the origin about this answer was, and whether that allows
// its use now, for this request. X-Said in an answer names that last word, because a 304 updates the header.
// known are the changes that had returned to their callers when this call began: whatever the clock says, which
// virtual time lets stand still, an answer from before one of them is wrong.
func (w *world) judge(req *http.Request, resp *http.Response, body string, began time.Time, known []put) {
	status := strings.Join(resp.Header["Cache-Status"], ", ")
	if req.Method != http.MethodGet {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	word := w.word(resp)
	if word == nil {
		w.t.Errorf("%s: an answer that nobody gave: %d, %q", status, resp.StatusCode, resp.Header)
		return
	}
	now := time.Now()
	if why := w.forbidden(req, resp, word, body, began, now, known); why != "" {
		w.t.Errorf("%s: %s\nasked at %v with %q\nthe origin said at %v, %v ago: %+v", status, why,
			began.Format("04:05.000"), req.Header, word.came.Format("04:05.000"), now.Sub(word.came), *word)
	}
	w.served[kindOf(resp, status)]++
}

func (w *world) word(resp *http.Response) *said {
	id, err := strconv.Atoi(resp.Header.Get("X-Said"))
	if err != nil || id >= len(w.said) {
		return nil
	}
	return w.said[id]
}

func kindOf(resp *http.Response, status string) string {
	switch {
	case resp.StatusCode == http.StatusNotModified:
		return "304"
	case strings.Contains(status, "hit; ttl=-"):
		return "stale hit"
	case strings.Contains(status, "hit"):
		return "hit"
	case strings.Contains(status, "collapsed"):
		return "collapsed"
	case strings.Contains(status, "fwd-status=304"):
		return "confirmed"
	}
	return "forwarded"
}

// forbidden tells why an answer is wrong; empty if it is not.
func (w *world) forbidden(
	req *http.Request, resp *http.Response, word *said, body string, began, now time.Time, known []put,
) string {
	url := strconv.Itoa(word.resource)
	if "/"+url != req.URL.Path {
		return "it is of another resource"
	}
	if resp.StatusCode == http.StatusOK {
		if why := w.wrongBody(req, word, body); why != "" {
			return why
		}
	} else if tag := req.Header.Get("If-None-Match"); tag != resp.Header.Get("Etag") {
		return "304, and the caller has something else"
	}
	if !word.came.Before(began) {
		return "" // the origin was asked because of this call, or while it waited
	}
	for _, p := range known {
		if p.resource == word.resource && word.came.Before(p.applied) {
			return fmt.Sprintf("it was asked for before a change of %v that was known", p.applied.Format("04:05.000"))
		}
	}
	return w.unusable(req.Header.Get("Cache-Control"), word, now, w.shared)
}

// wrongBody compares with the answer that the body itself names.
func (w *world) wrongBody(req *http.Request, word *said, body string) string {
	first, _, _ := strings.Cut(body, " ")
	id, err := strconv.Atoi(first)
	if err != nil || id >= len(w.said) || w.said[id].body != body {
		return "its body is not whole"
	}
	answer := w.said[id]
	switch {
	case answer.resource != word.resource:
		return "its body is of another resource"
	case answer.version != word.version:
		return "its body is another version than its header"
	case answer.vary && word.value != req.Header.Get("X-A"): // of whatever the origin said last: a 304 selects too
		return "it is of another variant"
	}
	return ""
}

// unusable is what Cache-Control says about an answer that was there before the call began.
func (w *world) unusable(asked string, word *said, now time.Time, shared bool) string {
	has := func(name string) bool { _, ok := directive(word.cc, name); return ok }
	life, _ := directive(word.cc, "max-age")
	if s, ok := directive(word.cc, "s-maxage"); ok && shared {
		life = s
	}
	age := now.Sub(word.came).Seconds()
	stale := age - float64(life)
	maxStale, staleAllowed := directive(asked, "max-stale")
	if staleAllowed && maxStale == 0 {
		maxStale = 1 << 30 // without an argument
	}
	_, noCache := directive(asked, "no-cache")
	maxAge, bounded := directive(asked, "max-age")
	minFresh, wanted := directive(asked, "min-fresh")
	strict := has("must-revalidate") || shared && (has("s-maxage") || has("proxy-revalidate"))
	switch {
	case has("no-store") || shared && has("private"):
		return "it must not have been stored"
	case noCache || has("no-cache"):
		return "the origin was to be asked"
	case bounded && age > float64(maxAge):
		return "it is older than the caller allows"
	case wanted && -stale < float64(minFresh):
		return "it is not fresh for long enough"
	case stale >= 0 && (strict || !staleAllowed || stale > float64(maxStale)):
		return "it is stale"
	}
	return ""
}
