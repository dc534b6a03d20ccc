package ratelimit

import "time"

// meter tells how many requests an upstream accepts. It counts what was sent
// and not pushed back, and remembers how many that were at the beginning of each
// of the last seconds in which something was sent.
type meter struct {
	sent  int64
	marks [8]mark
	last  int // the newest of marks
}

type mark struct {
	at   time.Time
	sent int64
}

// admit counts a request.
func (m *meter) admit(now time.Time) {
	if now.Sub(m.marks[m.last].at) >= time.Second {
		m.last = (m.last + 1) % len(m.marks)
		m.marks[m.last] = mark{now, m.sent}
	}
	m.sent++
}

// takeBack discounts one that was pushed back, or not sent in the end.
func (m *meter) takeBack() { m.sent-- }

// rate is what the upstream accepts in a second, where it asks for silence
// until the given time: what it took before has to last until then. Nobody
// knows when its counting began, so the busiest of the spans that end there is
// taken: a quiet time before a burst says nothing of the limit.
func (m *meter) rate(until time.Time) (perSecond float64) {
	for _, x := range m.marks {
		if span := until.Sub(x.at); !x.at.IsZero() && span > 0 {
			perSecond = max(perSecond, float64(m.sent-x.sent)/span.Seconds())
		}
	}
	return perSecond
}
