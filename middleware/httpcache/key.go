package httpcache

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"net/http"
	"strings"

	"github.com/headgate-go/headgate/middleware"
)

// appendURL writes the URI of a request as far as it names a resource: scheme,
// authority, path and query, normalized, without the fragment. The method is no part of it.
func appendURL(b []byte, req *http.Request) []byte {
	u := req.URL
	b = append(b, strings.ToLower(u.Scheme)...)
	b = append(b, "://"...)
	b = append(b, middleware.Authority(req)...)
	switch path := u.EscapedPath(); {
	case u.Opaque != "":
		b = append(b, u.Opaque...)
	case path == "":
		b = append(b, '/')
	default:
		b = append(b, path...)
	}
	if u.RawQuery != "" || u.ForceQuery {
		b = append(b, '?')
		b = append(b, u.RawQuery...)
	}
	return b
}

// partition tells apart what one URL means to different callers: a namespace,
// a credential, a Host that is not the URL's. It is nil for none of them.
func partition(req *http.Request, namespace string, credentials []string) []byte {
	host := req.Host
	if host == req.URL.Host {
		host = ""
	}
	some := namespace != "" || host != "" || credentials != nil && req.URL.User != nil
	for _, name := range credentials {
		some = some || len(req.Header[name]) > 0
	}
	if !some {
		return nil
	}
	h := parts{sha256.New()}
	h.add(namespace)
	h.add(strings.ToLower(host))
	h.credential(req, credentials)
	return h.Sum(nil)
}

// contentKey is the key of a request that is answered by its content: a
// SHA-256 over everything that may change the answer.
func contentKey(req *http.Request, url string, partition []byte, headers []string, body []byte) string {
	h := parts{sha256.New()}
	h.add("headgate/1")
	h.add(string(partition))
	h.add(req.Method)
	h.add(url)
	for _, name := range [...]string{"Content-Type", "Content-Encoding"} {
		h.field(req, name)
	}
	for _, name := range headers {
		h.field(req, name)
	}
	h.bytes(body)
	return "content " + hex.EncodeToString(h.Sum(nil))
}

// queryHeaders are the fields that say what the content of a QUERY means, besides
// its type and encoding (RFC 10008): what else the answer depends on, Vary says.
var queryHeaders = []string{"Content-Language"}

// parts hashes strings, each with its length, so that no two lists of them run together.
type parts struct{ hash.Hash }

func (p parts) add(s string) { p.bytes([]byte(s)) }

func (p parts) bytes(b []byte) {
	p.count(len(b))
	p.Write(b)
}

func (p parts) count(n int) {
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(n))
	p.Write(size[:])
}

// field adds a field's name, the number of its lines, and the lines.
func (p parts) field(req *http.Request, name string) {
	p.add(name)
	lines := req.Header[name]
	p.count(len(lines))
	for _, line := range lines {
		p.add(line)
	}
}

func (p parts) credential(req *http.Request, names []string) {
	if names == nil {
		return
	}
	for _, name := range names {
		p.field(req, name)
	}
	p.add(req.URL.User.String())
}
