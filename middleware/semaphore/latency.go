package semaphore

import (
	"math"
	"time"
)

const (
	tolerance = 0.1 // by how much answers may be slower than usual before that counts
	grown     = 1.3 // times a rate, within the tolerance as fast: a queue would take 1.3 times as long

	probeFirst = time.Second      // after answers became slower than the base, while that is not sure
	probeEvery = 10 * time.Second // then
)

// latency sees an upstream's queue before it overflows. It compares what
// answers take under load with what they take without, and tells from Little's
// law (in work = rate x time) how many of the requests were worked on and how
// many only waited: of n that are with an upstream at once and take t each,
// where one without a queue takes base, n*base/t are worked on. Each answer
// carries the n of its own start, so that it does not matter which limit was
// in force. Between two bounds of such a queue the limit stays (TCP Vegas:
// Brakmo and Peterson, 1995).
//
// The base is what it rests on, and it can be wrong: too low when the upstream
// has become slower whatever is sent to it, too high when there was a queue
// from the beginning. Only an experiment tells the one from the other: with
// fewer requests at once a queue becomes shorter and the rate stays, whereas
// without a queue nothing becomes faster and the rate falls. So the limit is
// lowered far enough to see that, to half of what is in use, and what it
// becomes is decided by a round trip's worth of answers. A base that is sure is
// only looked at again, which takes less: see depth. The same is done now and
// then without a suspicion (as BBR's ProbeRTT), unless the load itself was low
// enough in the meantime to see the base, or nothing became slower.
//
// The one exception is a small correction, by which nothing is lost: it is made
// at once, and only if it did not help the base is in doubt.
type latency struct {
	begun bool          // there was a first answer
	base  time.Duration // what answers take without a queue; 0 if not known
	noise float64       // how uncertain that is, as a share
	hold  bool          // there is a small queue, or an experiment: the limit does not grow

	low, high window // answers to what was sent under little load, and the others

	corrected bool    // the last window lowered the limit a little
	before    trial   // the experiment; the zero value without one
	after     uint64  // only answers to permits given after this count are looked at
	skip      int     // and so many of them are left out, as those who answer first are the fastest
	sure      bool    // the base was seen where there was no queue
	least     float64 // the lowest rate at which answers took no longer than the base
	probeAt   time.Time
}

// trial is how things were before the limit was lowered for an experiment.
type trial struct {
	limit float64
	summary
}

func (l *latency) trying() bool { return l.before.limit > 0 }

// add takes a sample, judges when there are enough, and gives the limit that
// should be: the present one if nothing speaks against it.
func (l *latency) add(x answer, limit float64) float64 {
	if x.number <= l.after || x.took <= 0 {
		return limit
	}
	if !l.begun { // the fastest of the first come first, too
		l.begun, l.skip = true, int(x.limit)
	}
	if l.trying() && float64(x.limit) > limit+0.5 {
		return limit // given just before the limit was lowered
	}
	if l.skip > 0 {
		l.skip--
		return limit
	}
	if x.alone() && !l.trying() {
		if l.low.add(x, windowMin) { // whatever it took, it isn't our queue
			l.rebase(l.low.summary(), 1.0/4)
			l.hold = false
			l.confirm(x.at, true)
		}
		return limit
	}
	if !l.high.add(x, int(x.limit)) {
		return limit
	}
	s := l.high.summary()
	if l.trying() {
		return l.conclude(s, x.at)
	}
	if l.base == 0 || s.took <= float64(l.base) {
		l.rebase(s, 1.0/4)
		l.least = min(l.least, s.rate())
		l.confirm(x.at, l.sure)
	}
	if !l.sure && s.took <= float64(l.base)*(1+tolerance) && s.rate() > (grown+4*s.noise)*l.least {
		l.confirm(x.at, true) // so much more is answered as fast: with less there was no queue
	}
	return l.judge(s, limit, x)
}

// judge compares with what is usual.
func (l *latency) judge(s summary, limit float64, x answer) float64 {
	worked := l.worked(s)
	queued := s.inUse - worked
	l.hold = queued > fewWait(limit)
	many := queued > max(2, math.Sqrt(limit))
	doubtful := l.corrected
	l.corrected = false
	switch enough := worked + fewWait(worked); {
	case limit < 2:
		return limit
	case many && enough >= nearFull*s.inUse && !doubtful:
		l.corrected, l.after, l.skip = true, x.issued, int(enough)
		return min(limit, enough)
	case many, x.at.After(l.probeAt) && s.inUse >= nearFull*limit:
		return l.try(s, limit, x)
	default:
		return limit
	}
}

// worked is how many of the requests in use were worked on.
func (l *latency) worked(s summary) float64 {
	return s.rate() * float64(l.base) * (1 + tolerance + 2*l.noise)
}

// fewWait is the number of waiting requests that is as it should be: no slot
// of the upstream idles while an answer is on its way.
func fewWait(limit float64) float64 { return max(1, math.Sqrt(limit)/2) }

// depth is the share of what is in use that an experiment leaves. What is taken
// off is what it costs, if there is no queue, and the rate then falls by as much:
// by that it has to stand out from the noise. Half is certain to. It is what a
// base needs that may be too high, because the queue can be a large one. Where
// the base is sure the queue is small, if it is one at all, and a quarter does,
// or five times the noise: the bound in the middle is 2.5 of it away, which is
// nearly twice the standard error of a ratio.
func (l *latency) depth(s summary) float64 {
	if !l.sure {
		return 1.0 / 2
	}
	return max(1.0/2, min(3.0/4, 1-5*s.noise))
}

// try begins an experiment.
func (l *latency) try(s summary, limit float64, x answer) float64 {
	lower := s.inUse * l.depth(s)
	l.before, l.hold = trial{limit, s}, true
	l.after, l.skip = x.issued, int(lower)
	return lower
}

// conclude ends the experiment.
func (l *latency) conclude(s summary, now time.Time) float64 {
	before := l.before
	l.cancel()
	// Without a queue the rate falls as the requests in use do, with one it
	// stays. The bound is in the middle of the two.
	switch fell := s.rate()/before.rate() < (1+s.inUse/before.inUse)/2; {
	case fell:
		l.base, l.noise = time.Duration(s.took), s.noise
		l.confirm(now, true)
	case s.took < float64(l.base)*(1-tolerance): // the base was too high, and even less may do
		l.base, l.noise = time.Duration(s.took), s.noise
		l.sure, l.least, l.probeAt = false, s.rate(), now
	}
	// Each of the two windows can have missed a part of what was worked on: the
	// one before when answers come in bunches, the other for want of requests.
	worked := max(l.worked(before.summary), l.worked(s))
	return min(before.limit, worked+fewWait(worked))
}

// cancel forgets an experiment and what was looked at for it.
func (l *latency) cancel() {
	l.before, l.hold, l.skip = trial{}, false, 0
	l.high.n = 0
}

// confirm is called when the base was seen: for sure, if there can have been no
// queue. The next look at it is due a while later.
func (l *latency) confirm(now time.Time, sure bool) {
	l.sure = sure
	l.probeAt = now.Add(max(probeFirst, 10*l.base))
	if sure {
		l.probeAt = now.Add(max(probeEvery, 100*l.base))
	}
}

func (l *latency) rebase(s summary, share float64) {
	if l.base == 0 {
		l.base, l.noise, l.least = time.Duration(s.took), s.noise, s.rate()
		return
	}
	l.base += time.Duration(share * (s.took - float64(l.base)))
	l.noise += share * (s.noise - l.noise)
}
