package httpcache

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/headgate-go/headgate/middleware"
)

// matches tells whether the route opts the request in.
func (r *Route) matches(req *http.Request) bool {
	return r.Method == req.Method &&
		(r.Host == "" || r.hostMatches(middleware.Authority(req))) &&
		(r.Path == "" || pathMatches(r.Path, req.URL.Path)) &&
		(r.ContentType == "" || strings.EqualFold(r.ContentType, mediaType(req.Header)))
}

// hostMatches also takes the host as it is, because an IPv6 address has brackets.
func (r *Route) hostMatches(authority string) bool {
	pattern := strings.ToLower(r.Host)
	return pattern == authority || glob(pattern, authority)
}

func (r *Route) stores(status int) bool {
	if len(r.Statuses) == 0 {
		return status == http.StatusOK
	}
	return slices.Contains(r.Statuses, status)
}

func pathMatches(pattern, requested string) bool {
	prefix, below := strings.CutSuffix(pattern, "/**")
	if !below {
		return glob(pattern, requested)
	}
	// As many segments as the prefix has, then anything.
	end := 0
	for range strings.Count(prefix, "/") {
		next := strings.IndexByte(requested[min(end+1, len(requested)):], '/')
		if next < 0 {
			return glob(prefix, requested)
		}
		end += next + 1
	}
	return glob(prefix, requested[:end])
}

func glob(pattern, s string) bool {
	ok, err := path.Match(pattern, s)
	return ok && err == nil
}

func mediaType(h http.Header) string {
	v := h["Content-Type"]
	if len(v) == 0 {
		return ""
	}
	return mediaOf(v[0])
}

// mediaOf is a Content-Type without its parameters.
func mediaOf(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.Trim(media, " \t")
}
