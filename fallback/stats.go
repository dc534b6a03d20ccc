package fallback

import "sync/atomic"

// counts are what happened to one answer. They outlive a change of settings.
type counts struct{ given, failed atomic.Uint64 }

// reasonCounts counts the answered calls by reason.
type reasonCounts struct{ exhausted, pushback, busy, failure, rejected atomic.Uint64 }

func (c *reasonCounts) of(r Reason) *atomic.Uint64 {
	switch r {
	case ReasonExhausted:
		return &c.exhausted
	case ReasonPushback:
		return &c.pushback
	case ReasonBusy:
		return &c.busy
	case ReasonRejected:
		return &c.rejected
	default:
		return &c.failure
	}
}

func (c *reasonCounts) count(r Reason) { c.of(r).Add(1) }

// Stats is a snapshot of what the stage did.
type Stats struct {
	FellBack uint64            `json:"fell_back"` // calls that an answer was given to
	Failed   uint64            `json:"failed"`    // calls that needed one and got none
	Reasons  map[Reason]uint64 `json:"reasons"`   // why, of the calls that fell back; all reasons are there
	Answers  []AnswerStats     `json:"answers"`   // in the order of the configuration
}

// AnswerStats is what happened to one answer.
type AnswerStats struct {
	Name   string `json:"name"`
	Given  uint64 `json:"given"`
	Failed uint64 `json:"failed"` // failed, or not tried for lack of time
}

// Stats is a snapshot. The answers are those in use; the sums include former ones.
func (f *Fallback) Stats() Stats {
	s := Stats{Failed: f.failed.Load(), Reasons: make(map[Reason]uint64, len(Reasons()))}
	for _, r := range Reasons() {
		n := f.reasons.of(r).Load()
		s.Reasons[r] = n
		s.FellBack += n
	}
	for _, a := range f.settings.Load().answers {
		s.Answers = append(s.Answers, AnswerStats{Name: a.name, Given: a.counts.given.Load(), Failed: a.counts.failed.Load()})
	}
	return s
}
