package circuitbreaker

import "time"

// totals are the calls that a window looks back on.
type totals struct {
	calls, failures, slow int64
}

func (t totals) minus(u totals) totals {
	return totals{t.calls - u.calls, t.failures - u.failures, t.slow - u.slow}
}

// window counts the latest calls. It is exact for calls that end one after the
// other; those that end at the same time may be seen a moment late.
type window interface {
	// add counts a call that ended now. A window of time looks back on length.
	add(now, length time.Duration, failed, slow bool)
	totals(now, length time.Duration) totals
}
