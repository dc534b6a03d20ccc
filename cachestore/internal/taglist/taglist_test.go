package taglist_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/headgate-go/headgate/cachestore/internal/taglist"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTagsOfAnyBytesComeBackSortedAndOnce(t *testing.T) {
	require.Empty(t, taglist.Encode(nil))
	require.Empty(t, taglist.Decode(nil))
	rapid.Check(t, func(t *rapid.T) {
		tags := rapid.SliceOf(rapid.String()).Draw(t, "tags")
		got := taglist.Decode(taglist.Encode(tags))
		require.Equal(t, taglist.Distinct(tags), got)
		for _, tag := range tags {
			require.True(t, taglist.HasAny(taglist.Encode(tags), []string{"\x00other\x00", tag}))
		}
	})
}

func TestHasAnyComparesWholeTags(t *testing.T) {
	data := taglist.Encode([]string{"red", "round", strings.Repeat("l", 300)})
	require.True(t, taglist.HasAny(data, []string{"round"}))
	require.True(t, taglist.HasAny(data, []string{strings.Repeat("l", 300)}))
	require.False(t, taglist.HasAny(data, []string{"roun", "redround", ""}))
	require.False(t, taglist.HasAny(data, nil))
}

func FuzzDecode(f *testing.F) {
	f.Add(taglist.Encode([]string{"a", "bc"}))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, data []byte) {
		size := 0
		for _, tag := range taglist.Decode(data) {
			size += len(tag)
		}
		require.LessOrEqual(t, size, len(data))
	})
}
