// Package reset reads when a limit of an upstream is reset, in the forms in
// which upstreams tell it.
package reset

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// maxLen bounds how long a text may be.
const maxLen = 1024

// Number reads a plain decimal number: no infinities, exponents, hexadecimal.
func Number(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if s == "" || strings.Trim(s, "+-.0123456789") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil || math.IsInf(f, 0)
}

// epoch is the number of seconds from which on a reset is taken for a point in
// time: the year 2001, or 31 years to wait.
const epoch = 1e9

// Parse reads when a limit is reset, as the time from now: a number of
// seconds, a duration, a date of RFC 3339 or the seconds since 1970. What has
// passed is 0.
func Parse(s string, now time.Time) (d time.Duration, ok bool) {
	if s = strings.TrimSpace(s); len(s) > maxLen {
		return 0, false
	}
	if f, ok := Number(s); ok {
		if f >= epoch {
			f -= float64(now.UnixNano()) / float64(time.Second)
		}
		return Seconds(f), true
	}
	if strings.Contains(s, ":") {
		at, err := time.Parse(time.RFC3339, s)
		return max(0, at.Sub(now)), err == nil
	}
	var days float64
	if number, rest, found := strings.Cut(s, "d"); found { // Go has no days
		if days, ok = Number(number); !ok {
			return 0, false
		}
		if s = rest; s == "" {
			s = "0s"
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, false
	}
	return Seconds(days*86400 + d.Seconds()), true
}

// Seconds is f seconds, within what a Duration can be, and not negative.
func Seconds(f float64) time.Duration {
	switch f *= float64(time.Second); {
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f > 0:
		return time.Duration(f)
	}
	return 0
}
