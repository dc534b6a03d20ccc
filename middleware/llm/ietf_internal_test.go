package llm

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLimitsOfTheIETFDraft(t *testing.T) {
	for _, c := range []struct {
		about  string
		header http.Header
		want   time.Duration
	}{
		{"used up", http.Header{"Ratelimit": {`"default";r=0;t=12`}}, 12 * time.Second},
		{"not used up", http.Header{"Ratelimit": {`"default";r=3;t=12`}}, 0},
		{"the one of two that is used up", http.Header{"Ratelimit": {`"burst";r=0;t=12, "daily";r=900;t=3600`}}, 12 * time.Second},
		{"the later of two, in two lines, with blanks", http.Header{"Ratelimit": {`"burst" ; r=0 ; t=12`, `"daily";r=0;t=3600`}}, time.Hour},
		{"a name that looks like a limit", http.Header{"Ratelimit": {`"a,b;r=0;t=9\";r=0";r=5;t=2`}}, 0},
		{"without a time", http.Header{"Ratelimit": {`"default";r=0`}}, 0},
		{"the earlier form", http.Header{"Ratelimit": {"limit=100, remaining=0, reset=5"}}, 5 * time.Second},
		{"the earlier form, not used up", http.Header{"Ratelimit": {"limit=100, remaining=50, reset=5"}}, 0},
		{"the first form", http.Header{"Ratelimit-Remaining": {"0"}, "Ratelimit-Reset": {"7"}}, 7 * time.Second},
		{"the first form, not used up", http.Header{"Ratelimit-Remaining": {"1"}, "Ratelimit-Reset": {"7"}}, 0},
		{"nonsense", http.Header{"Ratelimit": {`;;=,"`, `"x`}, "Ratelimit-Remaining": {"none"}}, 0},
		{"nothing", nil, 0},
	} {
		t.Run(c.about, func(t *testing.T) {
			d, ok := draft(c.header, time.Now())
			require.Equal(t, c.want, d)
			require.Equal(t, c.want > 0, ok)
		})
	}
}

func FuzzDraft(f *testing.F) {
	f.Add(`"burst";r=0;t=12, "daily";r=900;t=3600`)
	f.Add("limit=100, remaining=0, reset=5")
	f.Add(`"a\",b;r=0`)
	f.Fuzz(func(t *testing.T, line string) {
		d, ok := draft(http.Header{"Ratelimit": {line}}, time.Now())
		require.Equal(t, d > 0, ok)
	})
}
