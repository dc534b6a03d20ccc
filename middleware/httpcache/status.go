package httpcache

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

// cacheStatus is the field that says what a cache did (RFC 9211), and cacheName how this one calls itself there.
const (
	cacheStatus = "Cache-Status"
	cacheName   = "headgate"
)

// missStatus is what Cache-Status says of a response that came from upstream.
type missStatus struct {
	fwd       string
	status    int    // of the upstream, where it is not the response's
	detail    string // why it was forwarded, or why it is not stored
	stored    bool
	stale     bool          // a stored answer was served that is stale
	ttl       time.Duration // of the answer that is stored, or was served
	collapsed bool
	key       string // empty if it was not asked for
}

// String gives the member of the list.
func (s missStatus) String() string {
	switch s { // what most requests get that are none of a cache's business costs nothing
	case missStatus{fwd: fwdMethod}:
		return cacheName + "; fwd=" + fwdMethod
	case missStatus{fwd: fwdBypass}:
		return cacheName + "; fwd=" + fwdBypass
	}
	b := make([]byte, 0, 96)
	b = append(b, cacheName+"; fwd="...)
	b = append(b, s.fwd...)
	if s.status != 0 {
		b = strconv.AppendInt(append(b, "; fwd-status="...), int64(s.status), 10)
	}
	if s.stored {
		b = append(b, "; stored"...)
	}
	if s.stored || s.stale {
		b = appendTTL(b, s.ttl)
	}
	if s.collapsed {
		b = append(b, "; collapsed"...)
	}
	b = appendKey(b, s.key)
	if s.detail != "" {
		b = append(append(b, "; detail="...), s.detail...)
	}
	return string(b)
}

// mark adds a member to a response's Cache-Status, after those of the caches further up.
func mark(resp *http.Response, member string) {
	if resp.Header == nil {
		resp.Header = make(http.Header, 1)
	}
	h := resp.Header[cacheStatus]
	resp.Header[cacheStatus] = append(h[:len(h):len(h)], member)
}

// statusKey is what Cache-Status says of the key, if the configuration wants it:
// enough of its hash to compare two of them, and nothing of the query in it.
func (l *lookup) statusKey() string {
	if !l.settings.statusKey || l.place.key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(l.place.key))
	return hex.EncodeToString(sum[:8])
}

func appendKey(b []byte, key string) []byte {
	if key == "" {
		return b
	}
	return append(append(append(b, `; key="`...), key...), '"')
}

func appendTTL(b []byte, ttl time.Duration) []byte {
	return strconv.AppendInt(append(b, "; ttl="...), seconds(ttl), 10)
}

// seconds rounds towards the past, so that a fresh second is never promised twice.
func seconds(d time.Duration) int64 {
	s := int64(d / time.Second)
	if d < 0 && d%time.Second != 0 {
		s--
	}
	return s
}
