package ratelimit

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// learn keeps to what a response tells of the upstream's limits, and reports
// what that changed.
func (l *RateLimit) learn(ex *middleware.Exchange, b *bucket, resp *http.Response, o middleware.Outcome) {
	quotas := ReadQuotas(resp.Header, time.Now(), l.families...)
	if len(quotas) == 0 {
		return
	}
	paused, lessons := b.learn(quotas)
	if paused > 0 {
		l.reportPause(ex, b, o, paused)
	}
	for _, x := range lessons {
		l.reporter.Report(ex, middleware.Event{
			Kind: EventLearned, Level: slog.LevelInfo, Key: b.key, Attempt: ex.Attempt(), Outcome: o, Wait: x.holds,
			Attrs: []slog.Attr{slog.String("budget", x.budget.String()), slog.Float64("rate", x.rate)},
		})
	}
}

// lesson is a limit that holds from now on.
type lesson struct {
	budget Budget
	rate   float64
	holds  time.Duration
}

// learn takes over what quotas say, where it is less than what is allowed
// anyway. It returns for how long it paused if a pause began, and the limits
// that were not known before.
func (b *bucket) learn(quotas []Quota) (paused time.Duration, lessons []lesson) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.adopt(now)
	changed := false
	for _, q := range quotas {
		budget := &b.requests
		if q.Budget == Units {
			budget = &b.units
		}
		if !budget.on() {
			continue
		}
		if q.exhausted() {
			if d, began := b.pause(now, q.Reset); began {
				paused = d
			}
			continue
		}
		at := b.reckon(now)
		rate, holds := q.rate()
		if q.Remaining >= 0 && float64(q.Remaining) <= budget.limiter.TokensAt(at) {
			budget.keep(at, q.Remaining)
			changed = true
			if r, d := q.scarce(); d > 0 && (holds == 0 || r < rate) {
				rate, holds = r, d
			}
		}
		if holds = min(holds, b.cfg.MaxPause); holds == 0 {
			continue
		}
		took, first := budget.tell(at, told{rate: rate, until: now.Add(holds)})
		changed = changed || took
		if first {
			lessons = append(lessons, lesson{q.Budget, rate, holds})
		}
	}
	if changed {
		b.sweep(now)
	}
	return paused, lessons
}

// exhausted tells whether nothing may go until the reset.
func (q *Quota) exhausted() bool { return q.Remaining == 0 && q.Reset > 0 && !q.Refills }

// rate is the rate that the limit itself allows, and for how long to believe
// that; 0 if it says none.
func (q *Quota) rate() (perSecond float64, holds time.Duration) {
	if q.Limit <= 0 || q.Window <= 0 {
		return 0, 0
	}
	return float64(q.Limit) / q.Window.Seconds(), q.Window
}

// scarce is the rate at which more comes than what remains, and for how long
// that holds: none until the reset, or, where it refills, as fast as it takes
// to fill up until then.
func (q *Quota) scarce() (perSecond float64, holds time.Duration) {
	switch {
	case q.Reset <= 0:
		return 0, 0
	case !q.Refills:
		return 0, q.Reset
	case q.Limit > q.Remaining:
		return float64(q.Limit-q.Remaining) / q.Reset.Seconds(), q.Reset
	}
	return 0, 0
}

// tell sets a limit if it is lower than what holds already, and tells whether
// it did, and whether none was told before.
func (b *budget) tell(at time.Time, t told) (took, first bool) {
	now := b.pace.told
	known := at.Before(now.until)
	if t.rate >= b.pace.rate || !at.Before(t.until) || known && t.rate >= now.rate {
		return false, false
	}
	b.pace.told = t
	b.setPace(at)
	return true, !known
}
