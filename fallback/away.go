package fallback

import (
	"sync"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// away remembers which primaries asked to stay away, so that calls go to another
// upstream at once and come back when that time is over.
type away struct {
	mu    sync.Mutex
	until map[string]absence
}

type absence struct {
	until  time.Time
	reason Reason
	what   middleware.Outcome
}

// maxAway bounds the number of primaries that are remembered.
const maxAway = 64

// note remembers what a primary asked for, for at most longest. A quota that is
// used up has no hint as a rule: the primary is asked again after longest.
func (a *away) note(key string, o middleware.Outcome, reason Reason, longest time.Duration) {
	d := longest
	switch {
	case longest == 0 || o.Verdict != middleware.Exhausted && o.Verdict != middleware.Pushback:
		return
	case o.Hinted:
		d = min(o.RetryAfter, longest)
	case o.Verdict == middleware.Pushback:
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	for k, x := range a.until {
		if !now.Before(x.until) {
			delete(a.until, k)
		}
	}
	if len(a.until) >= maxAway || d <= 0 {
		return
	}
	if a.until == nil {
		a.until = map[string]absence{}
	}
	a.until[key] = absence{now.Add(d), reason, o}
}

// of tells whether a primary is away, and what it said.
func (a *away) of(key string) (absence, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	x, ok := a.until[key]
	return x, ok && time.Now().Before(x.until)
}
