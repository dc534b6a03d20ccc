package ratelimit

import "time"

// KeyStats is a snapshot of the rate of one key.
type KeyStats struct {
	Key      string        `json:"key"`
	Tokens   float64       `json:"tokens"`   // requests that could go at once, after the pause if there is one
	Waiting  int           `json:"waiting"`  // requests that wait now
	Paused   time.Duration `json:"paused"`   // how long nobody gets a token, as the upstream asked
	Admitted uint64        `json:"admitted"` // tokens given and not given back
	Queued   uint64        `json:"queued"`   // requests that had to wait
	Refused  uint64        `json:"refused"`  // requests refused or given up while they waited
}

// Stats is a snapshot, a line for each key, in no particular order.
func (l *RateLimit) Stats() []KeyStats {
	var all []KeyStats
	l.buckets.Range(func(_ string, b *bucket) { all = append(all, b.stats()) })
	return all
}

func (b *bucket) stats() KeyStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	f := b.forecast(now)
	return KeyStats{
		Key: b.key, Tokens: max(0, f.tokens), Waiting: len(b.queue), Paused: f.from.Sub(now),
		Admitted: b.counts.admitted, Queued: b.counts.queued, Refused: b.counts.refused,
	}
}
