package middleware

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RetryAfter reads how long the upstream asks to stay away, from the fields
// that exist for it, in the order of trust: retry-after-ms and
// x-ms-retry-after-ms (milliseconds), then Retry-After (RFC 9110, section
// 10.2.3: seconds, here also with decimals, or an HTTP date). A date is taken
// relative to the response's own Date where it has one, so that clocks which
// differ do not matter. A negative number or a date that has passed is a hint
// to come at once, and a number too large for a Duration the largest Duration;
// the caller caps it. ok is false where no field can be read.
func RetryAfter(h http.Header) (d time.Duration, ok bool) {
	for _, name := range [...]string{"Retry-After-Ms", "X-Ms-Retry-After-Ms"} {
		if v := h[name]; len(v) > 0 {
			if d, ok := scaled(v[0], time.Millisecond); ok {
				return d, true
			}
		}
	}
	v := h["Retry-After"]
	if len(v) == 0 {
		return 0, false
	}
	if d, ok := scaled(v[0], time.Second); ok {
		return d, true
	}
	at, err := http.ParseTime(strings.TrimSpace(v[0]))
	if err != nil {
		return 0, false
	}
	now := time.Now()
	if date := h["Date"]; len(date) > 0 {
		if sent, err := http.ParseTime(date[0]); err == nil {
			now = sent
		}
	}
	return max(0, at.Sub(now)), true
}

// scaled reads a plain decimal number of units.
func scaled(s string, unit time.Duration) (time.Duration, bool) {
	f, err := parseDecimal(strings.TrimSpace(s))
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	switch f *= float64(unit); {
	case f <= 0:
		return 0, true
	case f >= math.MaxInt64:
		return math.MaxInt64, true
	default:
		return time.Duration(f), true
	}
}

// parseDecimal is strconv.ParseFloat for plain decimals: NaN, infinities,
// exponents and hexadecimal are not numbers here. One that is too large gives
// an infinity and an error.
func parseDecimal(s string) (float64, error) {
	if strings.Trim(s, "+-.0123456789") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(s, 64)
}
