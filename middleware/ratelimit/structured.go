package ratelimit

import (
	"net/http"
	"strings"
	"time"

	"github.com/headgate-go/headgate/middleware/internal/reset"
)

// readStructured reads RateLimit and RateLimit-Policy. They are lists of
// structured fields (RFC 9651), an item for each policy:
//
//	RateLimit-Policy: "burst";q=100;w=60, "daily";q=1000;w=86400
//	RateLimit: "burst";r=30;t=12
//
// An earlier draft had a dictionary of one policy: limit=100, remaining=30, reset=12.
func readStructured(h http.Header) []Quota {
	if h["Ratelimit"] == nil && h["Ratelimit-Policy"] == nil {
		return nil
	}
	var quotas []Quota
	var names []string
	of := func(name string) *Quota {
		for i := range names {
			if names[i] == name {
				return &quotas[i]
			}
		}
		names = append(names, name)
		quotas = append(quotas, Quota{Remaining: -1})
		return &quotas[len(quotas)-1]
	}
	skip := map[string]bool{}
	for _, x := range items(h, "Ratelimit-Policy") {
		if unit, ok := x.params["qu"]; ok && strings.Trim(unit, `"`) != "requests" {
			skip[x.name] = true // bytes or requests at a time
			continue
		}
		q := of(x.name)
		q.Limit, _ = parseCount(x.params["q"])
		q.Window = x.seconds("w")
	}
	for _, x := range items(h, "Ratelimit") {
		if skip[x.name] {
			continue
		}
		name, remaining, reset := x.name, "r", "t"
		if key, value, dictionary := strings.Cut(x.name, "="); dictionary {
			name, remaining, reset = "", "remaining", "reset"
			x.params = map[string]string{key: value}
		}
		q := of(name)
		if n, ok := parseCount(x.params[remaining]); ok {
			q.Remaining = n
		}
		if d := x.seconds(reset); d > 0 {
			q.Reset = d
		}
		if n, ok := parseCount(x.params["limit"]); ok {
			q.Limit = n
		}
	}
	return quotas
}

// item is a member of a list, with its parameters; or a member of a dictionary
// as it stands.
type item struct {
	name   string
	params map[string]string
}

func (x *item) seconds(param string) time.Duration {
	f, _ := reset.Number(x.params[param])
	return reset.Seconds(f)
}

// items reads a field as a list. What is wrong in it is taken as it comes.
func items(h http.Header, field string) []item {
	s := strings.Join(h.Values(field), ",")
	if len(s) > maxField {
		return nil
	}
	var list []item
	for _, member := range split(s, ',') {
		parts := split(member, ';')
		if parts[0] == "" || len(list) == maxQuotas {
			continue
		}
		x := item{name: parts[0], params: map[string]string{}}
		for _, p := range parts[1:] {
			key, value, _ := strings.Cut(p, "=")
			x.params[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
		list = append(list, x)
	}
	return list
}

// split is strings.Split, trimmed, that spares what stands in quotation marks.
func split(s string, sep byte) []string {
	var parts []string
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == sep && !quoted:
			parts = append(parts, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	return append(parts, strings.TrimSpace(s[start:]))
}
