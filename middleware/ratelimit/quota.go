package ratelimit

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Quota is what an upstream tells of one of its limits.
type Quota struct {
	Budget Budget
	// Limit is how much may go in Window; 0 if that is unknown.
	Limit int
	// Window is what Limit counts for; 0 if that is unknown.
	Window time.Duration
	// Remaining is what may still go until Reset; -1 if that is unknown.
	Remaining int
	// Reset is how long it takes until all of Limit is there again; 0 if that
	// is unknown.
	Reset time.Duration
	// Refills says that what remains grows until then.
	Refills bool
}

// maxQuotas bounds what is read of one response, and maxField how long a field may be.
const (
	maxQuotas = 16
	maxField  = 1024
)

// ReadQuotas reads the limits that a response's header tells. Points in time
// are taken relative to the response's own Date where it has one, else to now.
// It reads what it can and ignores the rest.
func ReadQuotas(h http.Header, now time.Time, families ...Family) []Quota {
	if date := h.Get("Date"); date != "" {
		if sent, err := http.ParseTime(date); err == nil {
			now = sent
		}
	}
	var quotas []Quota
	for _, f := range families {
		if f.Structured {
			quotas = append(quotas, readStructured(h)...)
		}
		for _, fields := range f.Fields {
			if q, ok := fields.read(h, now); ok {
				quotas = append(quotas, q)
			}
		}
	}
	return quotas[:min(len(quotas), maxQuotas)]
}

func (f *Fields) read(h http.Header, now time.Time) (q Quota, ok bool) {
	limit, hasLimit := parseCount(h.Get(f.Limit))
	remaining, hasRemaining := parseCount(h.Get(f.Remaining))
	q = Quota{Budget: f.Budget, Limit: limit, Window: f.Window, Remaining: -1, Refills: f.Refills}
	if hasRemaining {
		q.Remaining = remaining
	}
	if f.Reset != "" {
		q.Reset, _ = parseReset(h.Get(f.Reset), now)
	}
	// Azure sends 0 and -1 for what it does not know.
	return q, limit > 0 || hasRemaining && !hasLimit && !f.Refills
}

// parseCount reads a whole number that is not negative. One with decimals is
// rounded down, one that is too large is as large as can be. The older IETF
// fields put parameters behind it ("100, 100;w=60"), which are left out.
func parseCount(s string) (n int, ok bool) {
	if len(s) > maxField {
		return 0, false
	}
	s, _, _ = strings.Cut(s, ",")
	s, _, _ = strings.Cut(s, ";")
	f, ok := parseNumber(s)
	if !ok || f < 0 {
		return 0, false
	}
	return int(min(f, maxUnits)), true
}

// parseNumber reads a plain decimal number: no infinities, exponents, hexadecimal.
func parseNumber(s string) (float64, bool) {
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

// parseReset reads when a limit is reset, as the time from now: a number of
// seconds, a duration, a date of RFC 3339 or the seconds since 1970. What has
// passed is 0.
func parseReset(s string, now time.Time) (d time.Duration, ok bool) {
	if s = strings.TrimSpace(s); len(s) > maxField {
		return 0, false
	}
	if f, ok := parseNumber(s); ok {
		if f >= epoch {
			f -= float64(now.UnixNano()) / float64(time.Second)
		}
		return seconds(f), true
	}
	if strings.Contains(s, ":") {
		at, err := time.Parse(time.RFC3339, s)
		return max(0, at.Sub(now)), err == nil
	}
	var days float64
	if number, rest, found := strings.Cut(s, "d"); found { // Go has no days
		if days, ok = parseNumber(number); !ok {
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
	return seconds(days*86400 + d.Seconds()), true
}

// seconds is f seconds, within what a Duration can be, and not negative.
func seconds(f float64) time.Duration {
	switch f *= float64(time.Second); {
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f > 0:
		return time.Duration(f)
	}
	return 0
}
