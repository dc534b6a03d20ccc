package pipeline

import (
	"fmt"
	"math"
)

// rule says of two types of stages which one belongs outside, and what happens otherwise.
type rule struct {
	outer, inner string
	otherwise    string
}

// The default order of the reference, pair by pair, where the other order is known to hurt.
var rules = []rule{
	{"fallback", "retry", "every attempt is answered by the fallback, so that nothing is ever retried"},
	{"fallback", "circuit_breaker", "what the breaker refuses is not answered by the fallback"},
	{"fallback", "rate_limit", "what the rate limit refuses is not answered by the fallback"},
	{"fallback", "semaphore", "what the semaphore refuses is not answered by the fallback"},
	{"cache", "retry", "a hit passes through the retry stage for nothing, and followers of a miss retry by themselves"},
	{"cache", "circuit_breaker", "an open breaker refuses what the cache could answer"},
	{"cache", "rate_limit", "a hit costs a token, and waits for it"},
	{"cache", "semaphore", "a hit takes a permit, and waits for it"},
	{"retry", "circuit_breaker", "the breaker sees calls and not attempts: a retry hides failures from it"},
	{"retry", "rate_limit", "retries pay no token, so that the rate is exceeded just when the upstream is in trouble"},
	{"retry", "semaphore", "a permit is held during the backoff, while the upstream idles"},
	{"retry", "hedge", "a copy waits for all attempts of the other, and makes as many itself"},
	{"hedge", "circuit_breaker", "a copy goes to an upstream that the breaker has not been asked about"},
	{"hedge", "rate_limit", "copies pay no token"},
	{"hedge", "semaphore", "copies take no permit"},
	{"circuit_breaker", "rate_limit", "a refusal by the breaker costs a token"},
	{"circuit_breaker", "semaphore", "a refusal by the breaker waits for a permit first"},
	{"rate_limit", "semaphore", "a permit is held while the request waits for its token"},
	{"retry", "llm", "the verdicts of the attempts are not known to it, and an error within a 200 is not repeated"},
	{"hedge", "llm", "an error within a 200 wins against a real answer"},
	{"circuit_breaker", "llm", "errors within a 200, and streams that break off, count as successes"},
	{"rate_limit", "llm", "it learns neither what a request will take nor what it took"},
	{"semaphore", "llm", "it does not see an overload that comes within a 200, nor the limit that an error tells"},
	{"timeout", "llm", "keep-alives count as progress"},
	{"cache", "llm", "an error within a 200 is stored as an answer"},
}

// lint warns of orders that are known to hurt, and of attempts that multiply.
func lint(stages []*instance, cfg Config) []Warning {
	var all []Warning
	for _, r := range rules {
		for i, outer := range stages {
			for _, inner := range stages[i+1:] {
				if outer.typ == r.inner && inner.typ == r.outer {
					all = append(all, Warning{Path: "order", Message: fmt.Sprintf("%s stands outside %s: %s", outer.id, inner.id, r.otherwise)})
				}
			}
		}
	}
	multiplying := 0
	var retry *instance // the outermost that makes attempts
	for _, s := range stages {
		switch {
		case s.worst(cfg) == 1, s.typ == "hedge", s.typ == "fallback": // copies have a budget, and the others go to other upstreams
		case s.typ == "retry" && retry != nil:
			all = append(all, Warning{Path: "order", Message: fmt.Sprintf("%s stands within %s, which repeats the call: it makes one attempt and never repeats", s.id, retry.id)})
		default:
			multiplying++
			if s.typ == "retry" {
				retry = s
			}
		}
	}
	if multiplying > 1 {
		all = append(all, Warning{Path: "order", Message: fmt.Sprintf("attempts multiply: one call can make %d upstream requests", worstCase(stages, cfg))})
	}
	return all
}

func (i *instance) worst(cfg Config) int {
	if i.attempts == nil {
		return 1
	}
	return i.attempts(cfg.Stages[i.id])
}

// worstCase is the most upstream requests that one call can make, or the
// largest number that there is. Of several retry stages only the outermost repeats
// a call, but each can be skipped.
func worstCase(stages []*instance, cfg Config) int {
	most := requests(stages, cfg, nil)
	for _, s := range stages {
		if s.typ == "retry" {
			most = max(most, requests(stages, cfg, s))
		}
	}
	return most
}

// requests is the worst case where of all retry stages this one repeats. Its attempts
// are the call's, however often the call comes to it, but each time it makes one.
func requests(stages []*instance, cfg Config, retry *instance) int {
	n := 1
	for _, s := range stages {
		w := s.worst(cfg)
		switch {
		case s == retry && n > math.MaxInt-(w-1), s.typ != "retry" && n > math.MaxInt/w:
			return math.MaxInt
		case s == retry:
			n += w - 1
		case s.typ != "retry":
			n *= w
		}
	}
	return n
}
