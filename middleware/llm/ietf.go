package llm

import (
	"net/http"
	"strings"
	"time"

	"github.com/headgate-go/headgate/middleware/internal/reset"
)

// draft gives the latest reset of the limits that are used up, as the IETF draft
// draft-ietf-httpapi-ratelimit-headers tells them:
//
//	RateLimit: "burst";r=0;t=12, "daily";r=900;t=3600
//
// An earlier version had a dictionary of one limit, limit=100, remaining=0,
// reset=12, and the first ones a field for each.
func draft(h http.Header, now time.Time) (latest time.Duration, ok bool) {
	add := func(remaining, after string) {
		if n, known := reset.Number(remaining); !known || n > 0 {
			return
		}
		if d, known := reset.Parse(after, now); known && d > latest {
			latest, ok = d, true
		}
	}
	add(first(h, "Ratelimit-Remaining"), first(h, "Ratelimit-Reset"))
	for _, line := range h["Ratelimit"] {
		dictionary := map[string]string{}
		for _, item := range splitOutside(line, ',') {
			parameters := map[string]string{}
			for _, p := range splitOutside(item, ';') {
				name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
				parameters[name], dictionary[name] = value, value
			}
			add(parameters["r"], parameters["t"])
		}
		add(dictionary["remaining"], dictionary["reset"])
	}
	return latest, ok
}

// splitOutside splits at a separator that is not within a quoted string (RFC 9651, section 3.3.3).
func splitOutside(s string, separator byte) []string {
	var parts []string
	begin, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == separator && !quoted:
			parts = append(parts, s[begin:i])
			begin = i + 1
		}
	}
	return append(parts, s[begin:])
}
