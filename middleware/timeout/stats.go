package timeout

// Stats is a snapshot.
type Stats struct {
	Until    string `json:"until"`
	TimedOut uint64 `json:"timed_out"` // how often the limit was reached
	Rejected uint64 `json:"rejected"`  // requests that came when no time was left
}

// Stats counts since the stage was made.
func (t *Timeout) Stats() Stats {
	return Stats{Until: t.bound.Load().err.Until, TimedOut: t.timedOut.Load(), Rejected: t.rejected.Load()}
}
