package middleware

import (
	"bytes"
	"io"
	"math"
	"net/http"
)

// Retain reads a response's body into memory, at most limit bytes, and closes
// it, so that the connection can be used again. If that was all of it, the
// response stays readable, as if it had just arrived; else it is left with an
// empty body, and complete is false. How long that may take is for the caller
// to bound, with Limit on the response's exchange.
func Retain(resp *http.Response, limit Bytes) (complete bool) {
	if resp.Body == nil || resp.Body == http.NoBody {
		return true
	}
	var kept bytes.Buffer
	limit = min(limit, math.MaxInt64-1)
	n, err := io.Copy(&kept, io.LimitReader(resp.Body, int64(limit)+1))
	_ = resp.Body.Close()
	if err != nil || n > int64(limit) {
		resp.Body = http.NoBody
		return false
	}
	resp.Body = io.NopCloser(&kept)
	return true
}
