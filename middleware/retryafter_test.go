package middleware_test

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

func TestRetryAfter(t *testing.T) {
	const date = "Sun, 06 Nov 1994 08:49:37 GMT"
	after := func(v string) http.Header { return http.Header{"Retry-After": {v}} }
	dated := func(v string) http.Header { return http.Header{"Retry-After": {v}, "Date": {date}} }
	for _, tt := range []struct {
		name   string
		header http.Header
		want   time.Duration
		ok     bool
	}{
		{"no field", nil, 0, false},
		{"an empty field", after(""), 0, false},
		{"a field without a value", http.Header{"Retry-After": {}}, 0, false},
		{"seconds", after("120"), 2 * time.Minute, true},
		{"seconds with spaces around", after(" 120 "), 2 * time.Minute, true},
		{"seconds with decimals", after("1.5"), 1500 * time.Millisecond, true},
		{"seconds without a leading zero", after(".25"), 250 * time.Millisecond, true},
		{"seconds with a sign", after("+3"), 3 * time.Second, true},
		{"zero", after("0"), 0, true},
		{"negative", after("-7"), 0, true},
		{"negative beyond all bounds", after("-" + strings.Repeat("9", 400)), 0, true},
		{"too large for a Duration", after("9223372037"), math.MaxInt64, true},
		{"too large for an int", after("99999999999999999999"), math.MaxInt64, true},
		{"too large for a float", after(strings.Repeat("9", 400)), math.MaxInt64, true},
		{"words", after("soon"), 0, false},
		{"NaN", after("NaN"), 0, false},
		{"an infinity", after("Inf"), 0, false},
		{"an exponent", after("1e3"), 0, false},
		{"hexadecimal", after("0x10"), 0, false},
		{"a duration", after("2s"), 0, false},
		{"two signs", after("--1"), 0, false},
		{"two points", after("1.2.3"), 0, false},
		{"a sign alone", after("-"), 0, false},
		{"a digit group", after("1_000"), 0, false},

		{"a date of RFC 1123, relative to Date", dated("Sun, 06 Nov 1994 08:50:37 GMT"), time.Minute, true},
		{"a date of RFC 850", dated("Sunday, 06-Nov-94 08:50:37 GMT"), time.Minute, true},
		{"a date of ANSI C", dated("Sun Nov  6 08:50:37 1994"), time.Minute, true},
		{"a date that has passed", dated("Sun, 06 Nov 1994 08:49:36 GMT"), 0, true},
		{"a date beyond a Duration", dated("Fri, 31 Dec 9999 23:59:59 GMT"), math.MaxInt64, true},
		{"a date with spaces around", dated(" Sun, 06 Nov 1994 08:50:37 GMT "), time.Minute, true},
		{"half a date", dated("Sun, 06 Nov"), 0, false},

		{"milliseconds", http.Header{"Retry-After-Ms": {"1500"}}, 1500 * time.Millisecond, true},
		{"milliseconds with decimals", http.Header{"Retry-After-Ms": {"0.5"}}, 500 * time.Microsecond, true},
		{"milliseconds of Azure", http.Header{"X-Ms-Retry-After-Ms": {"20"}}, 20 * time.Millisecond, true},
		{"retry-after-ms before all", http.Header{"Retry-After-Ms": {"1"}, "X-Ms-Retry-After-Ms": {"2"}, "Retry-After": {"3"}}, time.Millisecond, true},
		{"x-ms-retry-after-ms before retry-after", http.Header{"X-Ms-Retry-After-Ms": {"2"}, "Retry-After": {"3"}}, 2 * time.Millisecond, true},
		{"a field that cannot be read is passed over", http.Header{"Retry-After-Ms": {"?"}, "X-Ms-Retry-After-Ms": {""}, "Retry-After": {"3"}}, 3 * time.Second, true},
		{"negative milliseconds", http.Header{"Retry-After-Ms": {"-1"}, "Retry-After": {"3"}}, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := middleware.RetryAfter(tt.header)
			require.Equal(t, tt.ok, ok)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestADateIsRelativeToOurClockWhereTheResponseHasNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // at midnight of 2000-01-01 UTC
		at := time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat)
		for _, date := range [][]string{nil, {}, {"yesterday"}} {
			got, ok := middleware.RetryAfter(http.Header{"Retry-After": {at}, "Date": date})
			require.True(t, ok)
			require.Equal(t, 90*time.Second, got)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "1", "1.5", "-1", "1e9", "99999999999999999999", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:50:37 GMT"} {
		f.Add(seed, "", "")
		f.Add("", seed, seed)
		f.Add(seed, "2", seed)
	}
	f.Fuzz(func(t *testing.T, after, ms, date string) {
		d, ok := middleware.RetryAfter(http.Header{"Retry-After": {after}, "Retry-After-Ms": {ms}, "Date": {date}})
		if d < 0 || !ok && d != 0 {
			t.Fatalf("Retry-After %q, ms %q, Date %q: %v, %v", after, ms, date, d, ok)
		}
	})
}
