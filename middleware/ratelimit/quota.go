package ratelimit

import (
	"net/http"
	"strings"
	"time"

	"github.com/headgate-go/headgate/middleware/internal/reset"
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
// It reads what it can and ignores the rest. The names of the fields have to be
// in canonical form (http.CanonicalHeaderKey), as those of Families are.
func ReadQuotas(h http.Header, now time.Time, families ...Family) []Quota {
	var quotas []Quota
	sent := clock{header: h, now: now}
	for _, f := range families {
		if f.Structured {
			quotas = append(quotas, readStructured(h)...)
		}
		for _, fields := range f.Fields {
			if q, ok := fields.read(h, &sent); ok {
				quotas = append(quotas, q)
			}
		}
	}
	return quotas[:min(len(quotas), maxQuotas)]
}

func (f *Fields) read(h http.Header, sent *clock) (q Quota, ok bool) {
	limit, hasLimit := parseCount(first(h[f.Limit]))
	remaining, hasRemaining := parseCount(first(h[f.Remaining]))
	// Azure sends 0 and -1 for what it does not know.
	if limit <= 0 && (!hasRemaining || hasLimit || f.Refills) {
		return Quota{}, false
	}
	q = Quota{Budget: f.Budget, Limit: limit, Window: f.Window, Remaining: -1, Refills: f.Refills}
	if hasRemaining {
		q.Remaining = remaining
	}
	if in := first(h[f.Reset]); in != "" {
		q.Reset, _ = reset.Parse(in, sent.time())
	}
	return q, true
}

// clock is the response's own. Most responses tell nothing that it is needed for.
type clock struct {
	header http.Header
	now    time.Time // what it is if the response has no Date
	read   bool
}

func (c *clock) time() time.Time {
	if !c.read {
		c.read = true
		if sent, err := http.ParseTime(c.header.Get("Date")); err == nil {
			c.now = sent
		}
	}
	return c.now
}

// parseCount reads a whole number that is not negative. One with decimals is
// rounded down, one that is too large is as large as can be. The older IETF
// fields put parameters behind it ("100, 100;w=60"), which are left out.
func parseCount(s string) (n int, ok bool) {
	if s == "" || len(s) > maxField {
		return 0, false
	}
	s, _, _ = strings.Cut(s, ",")
	s, _, _ = strings.Cut(s, ";")
	f, ok := reset.Number(s)
	if !ok || f < 0 {
		return 0, false
	}
	return int(min(f, maxUnits)), true
}

// first gives the first value of a field, if there is one.
func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
