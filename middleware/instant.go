package middleware

import (
	"math"
	"time"
)

// epoch is where instants count from.
var epoch = time.Now()

// instant is a point in time as the time since the epoch, on the monotonic
// clock: a third of a time.Time, because every call holds some.
type instant time.Duration

// never is later than all others.
const never = instant(math.MaxInt64)

func sinceEpoch() instant { return instant(time.Since(epoch)) }

// instantOf is t. Without a monotonic reading it is as far from now as the
// clock on the wall says.
func instantOf(t time.Time) instant {
	if t != t.Round(0) {
		return instant(t.Sub(epoch))
	}
	now, left := sinceEpoch(), instant(time.Until(t))
	if left > 0 && now+left < now {
		return never
	}
	return now + left
}

func (i instant) time() time.Time {
	t := epoch.Add(time.Duration(i))
	if i.bubbled() {
		return t.Round(0)
	}
	return t
}

// bubbled tells whether i comes from a synctest bubble. The clock in there
// begins in the year 2000, which no program outside can remember.
func (i instant) bubbled() bool { return i < 0 }
