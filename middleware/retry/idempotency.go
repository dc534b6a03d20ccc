package retry

import (
	"crypto/rand"
	"net/http"
)

// withKey gives a copy of req that carries an Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header): 26 characters from A-Z and 2-7,
// 130 random bits. Like the APIs that know the field, and unlike the draft, it
// puts no quotes around it. A request that has a key, or needs none, is
// returned as it is.
func withKey(req *http.Request) *http.Request {
	if idempotentMethod(req.Method) || hasKey(req.Header) {
		return req
	}
	keyed := *req
	if keyed.Header = req.Header.Clone(); keyed.Header == nil {
		keyed.Header = http.Header{}
	}
	keyed.Header["Idempotency-Key"] = []string{rand.Text()}
	return &keyed
}

// idempotentMethod follows RFC 9110, section 9.2.2; QUERY is RFC 10008.
func idempotentMethod(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete, "QUERY":
		return true
	}
	return false
}

func hasKey(h http.Header) bool {
	return len(h["Idempotency-Key"]) > 0 || len(h["X-Idempotency-Key"]) > 0
}
