package ratelimit

import (
	"net/http"
	"slices"
	"time"
)

// Budget is what a limit counts.
type Budget uint8

// The budgets of the stage.
const (
	Requests Budget = iota
	Units
)

// String gives the budget's name.
func (b Budget) String() string {
	if b == Units {
		return "units"
	}
	return "requests"
}

// Family is a set of header fields in which upstreams tell their limits.
type Family struct {
	// Name is for people to read.
	Name string
	// Fields are the plain fields, one entry for each limit.
	Fields []Fields
	// Structured reads RateLimit and RateLimit-Policy, as the IETF draft
	// draft-ietf-httpapi-ratelimit-headers has them.
	Structured bool
}

// Fields are the fields of one limit. Those that an upstream does not send, or
// that cannot be read, are unknown.
type Fields struct {
	Budget Budget
	// Limit and Remaining are the names of whole numbers.
	Limit, Remaining string
	// Reset is the name of a time to come: a number of seconds, a duration such
	// as 6m0s or 12ms, a date of RFC 3339, or the seconds since 1970.
	Reset string
	// Window is what Limit counts for, where that is known.
	Window time.Duration
	// Refills says that what remains grows all the time, as in a token bucket,
	// and is back at the limit at Reset. Otherwise nothing comes before Reset.
	Refills bool
}

// Families are the known ones. OpenAI's fields are Azure's and Groq's as well.
func Families() []Family {
	return []Family{
		{Name: "ietf", Structured: true},
		{Name: "ietf-old", Fields: []Fields{
			{Budget: Requests, Limit: "Ratelimit-Limit", Remaining: "Ratelimit-Remaining", Reset: "Ratelimit-Reset"},
		}},
		{Name: "openai", Fields: []Fields{
			{Budget: Requests, Limit: "X-Ratelimit-Limit-Requests", Remaining: "X-Ratelimit-Remaining-Requests", Reset: "X-Ratelimit-Reset-Requests", Refills: true},
			{Budget: Units, Limit: "X-Ratelimit-Limit-Tokens", Remaining: "X-Ratelimit-Remaining-Tokens", Reset: "X-Ratelimit-Reset-Tokens", Refills: true},
		}},
		{Name: "anthropic", Fields: []Fields{
			{Budget: Requests, Limit: "Anthropic-Ratelimit-Requests-Limit", Remaining: "Anthropic-Ratelimit-Requests-Remaining", Reset: "Anthropic-Ratelimit-Requests-Reset", Refills: true},
			{Budget: Units, Limit: "Anthropic-Ratelimit-Tokens-Limit", Remaining: "Anthropic-Ratelimit-Tokens-Remaining", Reset: "Anthropic-Ratelimit-Tokens-Reset", Refills: true},
			{Budget: Units, Limit: "Anthropic-Ratelimit-Input-Tokens-Limit", Remaining: "Anthropic-Ratelimit-Input-Tokens-Remaining", Reset: "Anthropic-Ratelimit-Input-Tokens-Reset", Refills: true},
			{Budget: Units, Limit: "Anthropic-Ratelimit-Output-Tokens-Limit", Remaining: "Anthropic-Ratelimit-Output-Tokens-Remaining", Reset: "Anthropic-Ratelimit-Output-Tokens-Reset", Refills: true},
		}},
		{Name: "cerebras", Fields: []Fields{
			{Budget: Requests, Limit: "X-Ratelimit-Limit-Requests-Day", Remaining: "X-Ratelimit-Remaining-Requests-Day", Reset: "X-Ratelimit-Reset-Requests-Day"},
			{Budget: Units, Limit: "X-Ratelimit-Limit-Tokens-Minute", Remaining: "X-Ratelimit-Remaining-Tokens-Minute", Reset: "X-Ratelimit-Reset-Tokens-Minute", Window: time.Minute},
		}},
		{Name: "mistral", Fields: []Fields{
			{Budget: Requests, Limit: "X-Ratelimit-Limit-Req-Minute", Remaining: "X-Ratelimit-Remaining-Req-Minute", Window: time.Minute},
		}},
	}
}

// canonical gives families with the names of their fields as they stand in a
// header, so that no response has to be searched for another spelling.
func canonical(families []Family) []Family {
	families = slices.Clone(families)
	for i := range families {
		fields := slices.Clone(families[i].Fields)
		for j := range fields {
			f := &fields[j]
			f.Limit, f.Remaining, f.Reset = http.CanonicalHeaderKey(f.Limit), http.CanonicalHeaderKey(f.Remaining), http.CanonicalHeaderKey(f.Reset)
		}
		families[i].Fields = fields
	}
	return families
}
