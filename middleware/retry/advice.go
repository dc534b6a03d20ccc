package retry

import (
	"net/http"
	"strconv"
)

// outerAttempts is how often an SDK above has sent the request before, up to a
// bound. SDKs made by Stainless (OpenAI's and Anthropic's among them) say so.
func outerAttempts(h http.Header, most int) int {
	v := h["X-Stainless-Retry-Count"]
	if len(v) == 0 || v[0] == "0" {
		return 0
	}
	n, err := strconv.ParseUint(v[0], 10, 31)
	if err != nil {
		return 0
	}
	return min(int(n), most)
}

// advise says so in the response. Its header may be somebody else's, an entry
// of a cache for example.
func advise(resp *http.Response, cfg *Config) {
	if !cfg.AdviseCaller {
		return
	}
	h := resp.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	h["X-Should-Retry"] = []string{"false"}
	resp.Header = h
}
