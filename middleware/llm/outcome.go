package llm

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/internal/reset"
)

// The reasons that the stage adds to middleware's.
const (
	// ReasonCode: the code in an error's body says it.
	ReasonCode middleware.Reason = "code"
	// ReasonDisguised: the upstream sent the error as a success.
	ReasonDisguised middleware.Reason = "error in a 200"
	// ReasonEmpty: a success without an answer.
	ReasonEmpty middleware.Reason = "empty answer"
	// ReasonCut: an answer that ended in the middle.
	ReasonCut middleware.Reason = "cut answer"
)

// status gives the status that a report means, 0 if it says none.
func (p *provider) status(r report) int {
	if strings.Contains(r.quota, "PerDay") {
		return http.StatusPaymentRequired
	}
	for _, code := range [...]string{r.detail, r.code, r.kind} {
		if s := p.Codes[code]; s != 0 {
			return s
		}
	}
	if n, err := strconv.Atoi(r.code); err == nil && n >= 400 && n <= 599 {
		return n
	}
	return 0
}

// outcome tells what an error with its real status means.
func (p *provider) outcome(resp *http.Response, r report) middleware.Outcome {
	o := middleware.Classify(resp, nil)
	if s := p.status(r); s != 0 && s != resp.StatusCode {
		meant := middleware.Classify(&http.Response{StatusCode: s}, nil)
		switch meant.Verdict {
		case middleware.Exhausted, middleware.Pushback, middleware.Busy:
			// The code says more than the status: the others are not to override it.
			if meant.Verdict != o.Verdict {
				o.Verdict, o.Processing, o.Reason = meant.Verdict, meant.Processing, ReasonCode
			}
		}
	}
	p.hint(&o, resp.Header, r)
	return o
}

// hint adds when to come back, in the order of trust: the fields made for it,
// what the body says, the reset of a budget that is used up, and the message.
func (p *provider) hint(o *middleware.Outcome, h http.Header, r report) {
	switch o.Verdict {
	case middleware.Success, middleware.Invalid:
		return
	}
	o.Concurrency = concurrency(r.message)
	if !o.Hinted { // Classify does not read it for all statuses
		o.RetryAfter, o.Hinted = middleware.RetryAfter(h)
	}
	if d, err := time.ParseDuration(r.retryDelay); !o.Hinted && err == nil && d >= 0 {
		o.RetryAfter, o.Hinted = d, true
	}
	if !o.Hinted && o.Verdict == middleware.Pushback {
		o.RetryAfter, o.Hinted = p.resets(h)
	}
	if !o.Hinted {
		o.RetryAfter, o.Hinted = comeBack(r.message)
	}
}

// resets tells when the budgets that are used up are there again.
func (p *provider) resets(h http.Header) (latest time.Duration, ok bool) {
	for _, b := range p.Budgets {
		if n, known := reset.Number(first(h, b.Remaining)); !known || n > 0 {
			continue
		}
		if d, known := reset.Parse(first(h, b.Reset), sent(h)); known && d > latest { // Azure sends 0 for what it does not know
			latest, ok = d, true
		}
	}
	if d, known := draft(h, sent(h)); d > latest {
		return d, known
	}
	return latest, ok
}

func first(h http.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}
