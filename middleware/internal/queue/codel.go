package queue

import (
	"math"
	"time"
)

// interval is how long a delay must stand above the target before anybody is
// shed: a burst that drains by itself does no harm (RFC 8289, section 4.2).
const interval = 100 * time.Millisecond

// codel decides when to shed. It looks at the oldest waiter, because with the
// newest first the delay of those who are served tells nothing.
type codel struct {
	above    time.Time // when a delay that stands above the target has done so for an interval; zero while it doesn't
	dropping bool
	next     time.Time
	count    float64
}

// PopStale takes off a patient waiter that is to be shed now; nil if there is
// none. It never sheds the last one.
func (q *Queue) PopStale(now time.Time) *Waiter {
	w := q.arrivals.head()
	if len(q.arrivals.waiters) < 2 || q.Target == 0 || q.when(now)-w.since < q.Target {
		q.codel = codel{}
		return nil
	}
	if !q.codel.due(now) {
		return nil
	}
	q.Remove(w)
	return w
}

// due is the control law: drops come closer together until the delay is below the target.
func (c *codel) due(now time.Time) bool {
	switch {
	case c.above.IsZero():
		c.above = now.Add(interval)
		return false
	case now.Before(c.above):
		return false
	case !c.dropping:
		c.dropping, c.count, c.next = true, 0, now
	case now.Before(c.next):
		return false
	}
	c.count++
	c.next = c.next.Add(time.Duration(float64(interval) / math.Sqrt(c.count)))
	return true
}
