package fallback

import (
	"fmt"
	"net/http"
)

// Header is the response header that says that an answer is a fallback's: its
// name and the reason, "static; reason=busy" for example.
const Header = "Headgate-Fallback"

// complete fills in what a response must have and a hand-made one tends to lack.
func complete(resp *http.Response, method string) {
	if resp.Status == "" {
		resp.Status = fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	if resp.ProtoMajor == 0 {
		resp.Proto, resp.ProtoMajor, resp.ProtoMinor = "HTTP/1.1", 1, 1
	}
	if resp.Header == nil {
		resp.Header = make(http.Header)
	}
	switch {
	case resp.Body == nil:
		resp.Body = http.NoBody
	case resp.Body == http.NoBody:
	case method == http.MethodHead:
		_ = resp.Body.Close()
		resp.Body = http.NoBody
	case resp.ContentLength == 0 && !bodiless(resp.StatusCode):
		resp.ContentLength = -1 // there is a body, of a length that nobody has said
	}
}

// label says what the answer is, and keeps it out of caches.
func (c *call) label(resp *http.Response, name string, reason Reason) {
	resp.Header.Set(Header, name+"; reason="+string(reason))
	if len(resp.Header["Cache-Control"]) == 0 {
		resp.Header["Cache-Control"] = []string{"no-store"}
	}
	resp.Request = c.caller
}
