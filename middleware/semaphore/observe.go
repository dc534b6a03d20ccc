package semaphore

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// epoch is where the start of a permit is counted from.
var epoch = time.Now()

// token is a permit's number, in the lower 24 bits, and in the others when it
// was given, in microseconds since the epoch; 0 if that was not looked at. Both
// may wrap around, only differences count.
type token uint64

const (
	numberBits = 24
	numberMask = 1<<numberBits - 1
	timeMask   = 1<<(64-numberBits) - 1
)

func microseconds(t time.Time) uint64 { return uint64(t.Sub(epoch)/time.Microsecond) & timeMask }

func newToken(number uint64, start time.Time) token {
	var at uint64
	if !start.IsZero() {
		at = max(1, microseconds(start))
	}
	return token(at<<numberBits | number&numberMask)
}

// held is the time since the permit was given; 0 if that was not looked at.
func (t token) held() time.Duration {
	at := uint64(t) >> numberBits
	if at == 0 {
		return 0
	}
	return max(1, time.Duration((microseconds(time.Now())-at)&timeMask)*time.Microsecond)
}

// number is the permit's number, which is at most issued.
func (t token) number(issued uint64) uint64 {
	return issued - (issued-uint64(t))&numberMask
}

// stamp is when a permit was given, or 0 while it makes no difference: how
// long permits are held is of interest when many are in use, and now and then
// to know how it is without load. Reading the clock is not free.
func stamp(p grant, s *settings) (at time.Time) {
	if p.inUse*2 >= p.limit && s.Queue > 0 || s.adaptive && (p.inUse*4 >= p.limit || p.number%16 == 1) {
		return time.Now()
	}
	return time.Time{}
}

// observe learns from an answer, when its headers are there.
func (g *gate) observe(ex *middleware.Exchange, s *settings, p grant, start time.Time, resp *http.Response, err error) {
	o := ex.Outcome(resp, err)
	if start.IsZero() && o.Verdict == middleware.Success {
		return
	}
	now := time.Now()
	x := answer{grant: p, at: now, issued: g.admitted.Load(), among: g.inUse.Load()}
	if !start.IsZero() {
		x.took = now.Sub(start)
	}
	if o.Verdict == middleware.Pushback && s.LearnLimit {
		if n := concurrency(o, resp); n > 0 {
			g.adaptive.told(n, now)
		}
	}
	switch {
	case o.Verdict == middleware.Success:
		if g.adaptive.succeeded(x) {
			g.wake()
		}
	case g.adaptive.isDrop(o, x.took):
		g.drops.Add(1)
		if !g.adaptive.dropped(x) {
			g.punish(g.adaptive.penalty() - x.took)
		}
	}
	g.report(ex, now)
}

// punish keeps a permit from being used for a while: a refusal that comes fast
// must not free the upstream's attention for the next one sooner than an answer
// would have. Else the requests that are too many would be those that go round
// the fastest, and an outage would empty the queue in no time.
func (g *gate) punish(d time.Duration) {
	if d <= 0 {
		return
	}
	g.inUse.Add(1)
	g.held.Add(1)
	time.AfterFunc(d, func() {
		g.held.Add(-1)
		g.release()
	})
}

const reportEvery = time.Second

// report tells of a new limit, at most once in a second.
func (g *gate) report(ctx context.Context, now time.Time) {
	limit, told, last := g.adaptive.current.Load(), g.told.Load(), g.toldAt.Load()
	at := int64(now.Sub(epoch))
	if limit == told || last != 0 && at-last < int64(reportEvery) || !g.toldAt.CompareAndSwap(last, at) {
		return
	}
	g.told.Store(limit)
	g.settings.Load().reporter.Report(ctx, middleware.Event{
		Kind: EventLimitChanged, Level: slog.LevelDebug, Key: g.key,
		Attrs: []slog.Attr{slog.Int64("from", told), slog.Int64("limit", limit)},
	})
}
