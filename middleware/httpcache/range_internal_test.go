package httpcache

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A range that is cut is within the body, whatever was asked for.
func TestRangeIsWithinTheBody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := byteRange{rapid.Int64Min(-1).Draw(t, "first"), rapid.Int64Min(-1).Draw(t, "last")}
		if r.first < 0 {
			r.last = max(r.last, 0)
		}
		size := rapid.Int64Range(0, 1<<40).Draw(t, "size")
		if start, end, ok := r.within(size); ok {
			require.True(t, 0 <= start && start < end && end <= size, "%d to %d of %d", start, end, size)
		}
	})
}

// Whatever the field says, parsing ends, and what is understood makes sense.
func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-1", "bytes=-5", "bytes=5-", "bytes=1-2, 3-4", "bytes=99999999999999999999-", "pages=1", "bytes=,,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ranges, understood := parseRange([]string{s})
		require.Equal(t, understood, len(ranges) > 0 && understood)
		if !understood {
			return
		}
		require.True(t, strings.EqualFold("bytes=", s[:6]))
		for _, r := range ranges {
			require.True(t, r.first >= -1 && r.last >= -1 && (r.first >= 0 || r.last >= 0))
			require.True(t, r.first < 0 || r.last < 0 || r.first <= r.last)
		}
	})
}
