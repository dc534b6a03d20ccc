package httpcache

import (
	"net/http"
	"strings"
	"time"
)

// parseAge reads an Age field: the first member of the first line; what is no
// number of seconds is ignored (RFC 9111, section 5.1).
func parseAge(lines []string) (time.Duration, bool) {
	if len(lines) == 0 {
		return 0, false
	}
	first, _, _ := strings.Cut(lines[0], ",")
	n, ok := parseDelta(strings.Trim(first, " \t"))
	return time.Duration(n) * time.Second, ok
}

// initialAge is how old a response was when it arrived, the
// corrected_initial_age of RFC 9111, section 4.2.3.
func initialAge(h http.Header, requested, received time.Time) time.Duration {
	var apparent time.Duration
	if date, _, ok := headerDate(h, "Date", received); ok {
		apparent = max(0, received.Sub(date))
	}
	age, _ := parseAge(h["Age"])
	return max(apparent, age+max(0, received.Sub(requested)))
}
