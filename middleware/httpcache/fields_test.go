package httpcache

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestFieldsGiveBackTheHeader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := anyHeader().Draw(t, "header")
		f := linesOf(h)
		for _, room := range []int{0, 1, 3, 20} { // too little for some, enough for all
			got := f.header(make([]string, room), 2)
			require.Equal(t, len(h), len(got))
			for name, values := range h {
				require.Equal(t, values, got[name])
				require.Equal(t, values, f.lines(name))
				first, found := f.first(name)
				require.True(t, found)
				require.Equal(t, values[0], first)
			}
		}
		_, found := f.first("none of them, and longer than they are")
		require.False(t, found)
		require.Nil(t, f.lines("none of them, and longer than they are"))
	})
}

// Who adds to a field, or changes it in place, does neither to the next field nor to the next header.
func TestFieldsShareNothing(t *testing.T) {
	f := fields{{"A", "1"}, {"A", "2"}, {"B", "3"}}
	h := f.header(make([]string, 8), 0)
	h["A"] = append(h["A"], "more")
	h["A"][0] = "edited"
	h.Add("B", "more")
	require.Equal(t, http.Header{"A": {"edited", "2", "more"}, "B": {"3", "more"}}, h)
	require.Equal(t, http.Header{"A": {"1", "2"}, "B": {"3"}}, f.header(nil, 0))
}

// RFC 9111, section 3.2: what describes the stored bytes stays.
func TestRFC9111_3_2_FieldsUpdated(t *testing.T) {
	stored := fields{{"Content-Length", "5"}, {"X-Old", "kept"}, {"Etag", "a"}, {"X-List", "1"}, {"X-List", "2"}}
	fresh := fields{{"Etag", "b"}, {"Content-Length", "0"}, {"X-List", "3"}, {"Content-Type", "text/plain"}, {"X-New", "n"}}
	require.Equal(t, header("Content-Length", "5", "X-Old", "kept", "Etag", "b", "X-List", "3", "X-New", "n"), stored.updated(fresh).header(nil, 0))
}
