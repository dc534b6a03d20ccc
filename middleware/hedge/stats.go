package hedge

import (
	"cmp"
	"slices"
	"time"
)

// Stats is a snapshot of what the stage did.
type Stats struct {
	// InFlight is the number of copies that have not come back, cancelled ones included.
	InFlight int `json:"in_flight"`
	// Keys are sorted by key. The one that keys beyond max_keys share has the key "".
	Keys []KeyStats `json:"keys"`
}

// KeyStats is a snapshot of one key.
type KeyStats struct {
	Key      string        `json:"key"`
	Delay    time.Duration `json:"delay"`    // before a copy is sent, as things are
	Paused   time.Duration `json:"paused"`   // for how long no copies are sent
	Requests uint64        `json:"requests"` // that could have a copy
	Sent     uint64        `json:"sent"`     // copies; in the end each is won or lost
	Won      uint64        `json:"won"`      // copies whose answer was taken
	Lost     uint64        `json:"lost"`     // copies sent in vain
	Refused  uint64        `json:"refused"`  // copies that a stage further in refused; not in Sent
	Withheld uint64        `json:"withheld"` // copies that the budget, a pause, a deadline or max_in_flight prevented
}

// Stats is a snapshot.
func (h *Hedge) Stats() Stats {
	cfg, now := h.settings.Load(), h.now()
	s := Stats{InFlight: h.crew.Size()}
	h.upstreams.Range(func(_ string, u *upstream) {
		s.Keys = append(s.Keys, KeyStats{
			Key: u.key, Delay: u.latencies.delay(cfg), Paused: u.pausedFor(now),
			Requests: u.requests.Load(), Sent: u.sent.Load(), Won: u.won.Load(), Lost: u.lost.Load(),
			Refused: u.refused.Load(), Withheld: u.withheld.Load(),
		})
	})
	slices.SortFunc(s.Keys, func(a, b KeyStats) int { return cmp.Compare(a.Key, b.Key) })
	return s
}
