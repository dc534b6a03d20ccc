package reset_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware/internal/reset"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestEveryFormOfAResetIsRead(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"12ms":                         12 * time.Millisecond,
		"6m0s":                         6 * time.Minute,
		"1d2h":                         26 * time.Hour,
		"2d":                           48 * time.Hour,
		"30":                           30 * time.Second,
		" 1.5 ":                        1500 * time.Millisecond,
		"-1":                           0,
		"2026-01-02T03:05:05Z":         time.Minute,
		"2026-01-02T03:00:00Z":         0,
		"1767323105":                   time.Minute,
		"9999999999999999999999999999": math.MaxInt64,
	} {
		d, ok := reset.Parse(text, now)
		require.True(t, ok, text)
		require.Equal(t, want, d, text)
	}
}

func TestWhatIsNoResetIsRefused(t *testing.T) {
	for _, text := range []string{"", "soon", "1e3", "0x10", "NaN", "Inf", "1dx", "xd", "12:30", "5 seconds"} {
		_, ok := reset.Parse(text, now)
		require.False(t, ok, text)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"12ms", "1d2h", "1767323105", "2026-01-02T03:05:05Z", "-9e9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, _ := reset.Parse(s, now); d < 0 {
			t.Fatalf("%q gives %v", s, d)
		}
	})
}
