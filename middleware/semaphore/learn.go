package semaphore

import (
	"net/http"
	"regexp"
	"strconv"

	"github.com/headgate-go/headgate/middleware"
)

const peekAtMost = 4 * middleware.KiB

// stated is how upstreams word their limit: "concurrency limit of 30",
// "concurrent request limit: 30", "concurrency limit is 30".
var stated = regexp.MustCompile(`(?i)\bconcurren(?:cy|t(?: request)?s?) limit(?: of| is)?:? (\d{1,6})\b`)

// concurrency is how many requests at a time the upstream says that it allows:
// as the provider stage read it, else from the text of the answer; 0 if it says
// nothing. A compressed text is not looked at.
func concurrency(o middleware.Outcome, resp *http.Response) int {
	if o.Concurrency > 0 || resp == nil || resp.Header.Get("Content-Encoding") != "" {
		return o.Concurrency
	}
	return parseConcurrency(middleware.Peek(resp, peekAtMost))
}

func parseConcurrency(text []byte) int {
	m := stated.FindSubmatch(text)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil {
		return 0
	}
	return n
}
