package ratelimit

import (
	"context"
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

var costOption = middleware.NewOption[int]("rate_limit cost")

// Cost says how many units each call made with the context that it returns will
// take, as an estimate. It outranks WithCost.
func Cost(ctx context.Context, units int) context.Context { return costOption.With(ctx, units) }

// Report corrects what the request that ctx belongs to has taken: it is how
// many units that were in fact. A stage further in calls it with the context of
// the request that it was given, in RoundTrip or while the body is read, or
// later; of several reports on a request the last counts, so that a stream can
// be followed. What was reserved in vain is given back, what is missing is taken
// even if it is not there: the budget goes into debt, but never deeper than its
// limit, so that the debt of any one request is paid within the time that the
// limit counts for. Report gives false if no stage with a budget in units is on
// the request's way. Every such stage is told.
//
// Each attempt has its own reservation. A stage in between that makes attempts
// (hedge) hides it: place it outside.
func Report(ctx context.Context, units int) bool {
	r, found := ctx.Value(reservationKey{}).(*reservation)
	for x := r; x != nil; x, _ = x.Context.Value(reservationKey{}).(*reservation) {
		x.bucket.correct(x, units)
	}
	return found
}

type reservationKey struct{}

// reservation is what a request has taken of the budget in units. It is the
// context of the request that goes on, by which Report finds it.
type reservation struct {
	context.Context
	bucket *bucket

	// Guarded by the bucket's mu.
	units    int // taken, and not given back
	actual   int // as reported
	reported bool
}

// Value gives the reservation itself under its key.
func (r *reservation) Value(key any) any {
	if key == (reservationKey{}) {
		return r
	}
	return r.Context.Value(key)
}

// AfterFunc spares the context package a goroutine for each context that is derived.
func (r *reservation) AfterFunc(f func()) (stop func() bool) {
	if a, ok := r.Context.(interface{ AfterFunc(func()) func() bool }); ok {
		return a.AfterFunc(f)
	}
	return context.AfterFunc(r.Context, f)
}

// Used corrects the reservation by what a stage further in has reported.
func (r *reservation) Used(u middleware.Usage) { r.bucket.correct(r, u.Total()) }

// reserve tells what req will take of b. Nothing is taken yet.
func (l *RateLimit) reserve(ex *middleware.Exchange, req *http.Request, b *bucket) *reservation {
	r := &reservation{Context: req.Context(), bucket: b}
	units, known := costOption.Of(ex)
	switch {
	case known:
	case l.estimate != nil:
		units, known = l.estimate(req), true
	default:
		units = ex.Inspect(req).Units
		known = units > 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !known {
		units = b.average.units()
	}
	// A request that takes more than the bucket holds leaves a debt, bounded as any other.
	u := &b.cfg.Units
	r.units = max(0, min(units, u.burst()+u.Limit))
	return r
}

// cost is what r takes; a request without a budget in units takes none.
func (r *reservation) cost() int {
	if r == nil {
		return 0
	}
	return r.units
}

// correct makes r have taken what it took in fact.
func (b *bucket) correct(r *reservation, actual int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	actual = max(0, min(actual, maxUnits))
	b.average.note(float64(actual-r.actual), !r.reported)
	r.actual, r.reported = actual, true
	b.charge(r, actual)
}

// charge makes r have taken units, as far as the debt allows. mu is held.
func (b *bucket) charge(r *reservation, units int) {
	if !b.units.on() {
		return // not any more
	}
	now := time.Now()
	taken := b.units.charge(b.reckon(now), units-r.units, b.cfg.Units.Limit)
	r.units += taken
	b.counts.spent += uint64(taken)
	if taken > 0 {
		b.sweep(now)
	} else {
		b.nudgeHead()
	}
}

// average is the mean of what the last requests took, as reported.
type average struct{ sum, n float64 }

// averageOver is the number of requests that an average remembers, about.
const averageOver = 64

// note adds to the average; more to a request that is in it already, or another one.
func (a *average) note(units float64, another bool) {
	if a.sum += units; !another {
		return
	}
	if a.n++; a.n > averageOver {
		a.sum, a.n = a.sum/2, a.n/2
	}
}

func (a *average) units() int {
	if a.n == 0 {
		return 0
	}
	return int(max(0, a.sum/a.n))
}
