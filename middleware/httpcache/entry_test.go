package httpcache

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// caching.md 7 and invariant 2: a value that rotates in a field named by Vary
// bounds itself, by number and by bytes.
func TestVariantsAreBounded(t *testing.T) {
	r := &resource{}
	add := func(e *entry, variants int, maxBytes int64) {
		r = newResource(&place{key: "k"}, e, r.entries, variants, maxBytes)
	}
	variant := func(i int) *entry {
		e := stored(header("A", fmt.Sprint(i)), "Cache-Control", "max-age=60", "Vary", "A")
		e.body = make([]byte, 1<<10)
		return e
	}
	for i := range 100 {
		add(variant(i), 8, 1<<20)
		require.LessOrEqual(t, len(r.entries), 8)
	}
	require.True(t, matches(r.entries[0].selecting, header("A", "99")), "the newest first")
	for i := range 100 {
		add(variant(i), 100, 8<<10)
		require.LessOrEqual(t, r.Size(), int64(8<<10))
	}
	require.Greater(t, len(r.entries), 2)

	n := len(r.entries)
	add(variant(99), 100, 8<<10)
	require.Len(t, r.entries, n, "the same values replace")
}

func TestResourceChargesWhatItHolds(t *testing.T) {
	e := stored(nil, "X", strings.Repeat("h", 1000))
	e.body = make([]byte, 10, 2000)
	r := newResource(&place{key: "k"}, e, nil, 1, 1<<20)
	require.Greater(t, r.Size(), int64(3000), "the header, and the body's capacity")
}

// RFC 9111, section 3.1, and RFC 9110, section 7.6.1; caching.md 17.
func TestRFC9111_3_1_StoredFields(t *testing.T) {
	h := endToEnd(header(
		"Connection", "close, X-a", "Connection", "x-B", "X-A", "1", "X-B", "2", "X-C", "3", "Keep-Alive", "1", "Transfer-Encoding", "chunked",
		"Proxy-Authenticate", "x", "Upgrade", "h2", "Te", "x", "Age", "5", "Set-Cookie", "a", "Date", "d",
	), noon)
	require.Equal(t, header("X-C", "3", "Set-Cookie", "a", "Date", "d"), h.header(nil, 0))
	require.Equal(t, fields{{"Date", noon.Format(http.TimeFormat)}}, endToEnd(nil, noon))
}

func TestMissStatus(t *testing.T) {
	require.Equal(t, "headgate; fwd=stale; fwd-status=304; stored; ttl=-1; collapsed; detail=X",
		missStatus{fwd: "stale", status: 304, stored: true, ttl: -time.Millisecond, collapsed: true, detail: "X"}.String())
	require.Equal(t, "headgate; fwd=method", missStatus{fwd: "method"}.String())
}
