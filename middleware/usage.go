package middleware

// Usage is what an answer took, in units of the upstream: tokens of a language
// model as a rule.
type Usage struct {
	// Input is what the request took, Cached included.
	Input int
	// Cached is the part of Input that came from a cache of the upstream.
	Cached int
	// Output is what the answer took.
	Output int
}

// Total is all of it.
func (u Usage) Total() int { return u.Input + u.Output }

// UsageWatcher is told what an answer took.
type UsageWatcher interface {
	// Used is called in RoundTrip, or while the body is read or closed, by any
	// goroutine. Of several calls for a request the last one counts.
	Used(Usage)
}

// OnUsage has w told what the answer to this exchange took, or the answers to
// the attempts within it, one by one. Call it before the request is passed on.
func (e *Exchange) OnUsage(w UsageWatcher) {
	m := e.extra()
	m.watchers = &watcher{usage: w, next: m.watchers}
}

// ReportUsage is called by a stage that knows what the answer took: a provider
// stage, or one of one's own.
func (e *Exchange) ReportUsage(u Usage) {
	for x := e; x != nil; x = x.outward() {
		for w := x.watchers(); w != nil; w = w.next {
			if w.usage != nil {
				w.usage.Used(u)
			}
		}
	}
}
