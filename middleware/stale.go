package middleware

import (
	"net/http"
	"time"
)

// StaleSource remembers answers. A cache is one; the fallback stage's answer
// "stale" uses it, and pipeline brings the two together.
type StaleSource interface {
	// Stale gives the last good answer to such a request, fresh or not, that is
	// not older than maxAge, and false if there is none, or if the request or the
	// answer forbids that it is used when it is stale. The response is made for this
	// call alone and says what it is: Age, and a Cache-Status (RFC 9211) with a
	// negative ttl if it is stale. The request's body may be read, and is closed. It
	// asks no upstream, and is safe for concurrent use.
	Stale(req *http.Request, maxAge time.Duration) (*http.Response, bool)
}
