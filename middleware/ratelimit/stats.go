package ratelimit

import (
	"slices"
	"strings"
	"time"
)

// KeyStats is a snapshot of the rate of one key.
type KeyStats struct {
	Key        string        `json:"key"`
	Tokens     float64       `json:"tokens"`      // requests that could go at once, after the pause if there is one
	Rate       float64       `json:"rate"`        // requests a second at present, or after the pause
	Waiting    int           `json:"waiting"`     // requests that wait now
	Paused     time.Duration `json:"paused"`      // how long nobody gets a token, as the upstream asked
	Admitted   uint64        `json:"admitted"`    // tokens given and not given back
	Queued     uint64        `json:"queued"`      // requests that had to wait
	Refused    uint64        `json:"refused"`     // requests refused or given up while they waited
	PushedBack uint64        `json:"pushed_back"` // requests that the upstream told to come later
	Units      float64       `json:"units"`       // units that could go at once; negative is debt
	UnitRate   float64       `json:"unit_rate"`   // units a second at present; 0 without such a budget
	Spent      uint64        `json:"spent"`       // units taken and not given back
}

// Stats is a snapshot, a line for each key, sorted by them.
func (l *RateLimit) Stats() []KeyStats {
	var all []KeyStats
	l.buckets.Range(func(_ string, b *bucket) { all = append(all, b.stats()) })
	slices.SortFunc(all, func(a, b KeyStats) int { return strings.Compare(a.Key, b.Key) })
	return all
}

func (b *bucket) stats() KeyStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	f := b.forecast(now)
	s := KeyStats{
		Key: b.key, Tokens: max(0, f.requests.tokens), Rate: float64(b.requests.limiter.Limit()),
		Waiting: len(b.queue), Paused: f.now.Sub(now),
		Admitted: b.counts.admitted, Queued: b.counts.queued, Refused: b.counts.refused,
		PushedBack: b.counts.pushedBack, Spent: b.counts.spent,
	}
	if b.units.on() {
		s.Units, s.UnitRate = f.units.tokens, float64(b.units.limiter.Limit())
	}
	return s
}
