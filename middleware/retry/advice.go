package retry

import (
	"net/http"
	"strconv"
)

// repeated tells whether an SDK above has sent the request before. SDKs made by
// Stainless (OpenAI's and Anthropic's among them) count that in a header field.
func repeated(h http.Header) bool {
	v := h["X-Stainless-Retry-Count"]
	if len(v) == 0 || v[0] == "0" {
		return false
	}
	n, err := strconv.ParseUint(v[0], 10, 31)
	return err == nil && n > 0
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
