package semaphore

import (
	"math"
	"slices"
	"time"
)

const (
	windowMax = 64
	windowMin = 8
	idle      = 0.4 // of the limit in use: so little makes no queue
	tolerance = 0.1 // by how much answers may be slower than usual before that counts
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
// Three things that are known to go wrong with it are seen to:
//
//   - Answers differ by nature. Robust means of many are compared, and the
//     tolerance grows with their uncertainty, which the spread of the samples tells.
//   - What is taken for usual may be too little, because the upstream has become
//     slower whatever is sent to it. Then a lower limit does not make it any
//     faster; that is noticed, and the limit is restored (the covariance of
//     Uber's Cinnamon has the same purpose).
//   - It may be too much, because there was a queue from the beginning. So now
//     and then the limit is halved for a round trip to have a look (as BBR's
//     ProbeRTT).
type latency struct {
	base  time.Duration // what answers take without a queue; 0 if not known
	noise float64       // how uncertain that is, as a share
	hold  bool          // there is a small queue: the limit neither grows nor shrinks

	n     int // samples
	size  int // of the window: a round trip's worth
	took  [windowMax]float64
	inUse [windowMax]float64
	rate  [windowMax]float64
	load  [windowMax]float64
	after uint64 // in a probe: only answers to permits given after this count
	skip  int    // in a probe: so many are left out, as those who answer first are the fastest

	trial     trial
	probing   trial // before the probe; the zero value without one
	nextProbe time.Time
}

// trial is the load and the latency before the limit was lowered.
type trial struct {
	limit, inUse, took, rate float64
}

// verdict is what the limit should be.
type verdict struct {
	change  bool
	limit   float64
	forNow  bool // only to have a look
	restore bool // what it was before
}

// add takes a sample, and judges when there are enough.
func (l *latency) add(x answer, limit float64) (v verdict) {
	if x.number <= l.after || x.took <= 0 {
		return v
	}
	if l.skip > 0 {
		l.skip--
		return v
	}
	if l.n == 0 {
		l.size = min(windowMax, max(windowMin, int(x.limit)))
	}
	l.took[l.n], l.inUse[l.n], l.rate[l.n] = float64(x.took), float64(x.inUse), float64(x.inUse)/float64(x.took)
	l.load[l.n] = x.load()
	l.n++
	if l.n < l.size {
		return v
	}
	s := l.summary()
	l.n = 0
	switch {
	case l.probing.limit > 0:
		return l.endProbe(s, limit, x.at)
	case l.base == 0 || s.load < idle: // it isn't our queue
		l.rebase(s, 1.0/4)
		l.hold, l.trial = false, trial{}
		return v
	case s.load < nearFull:
		l.lower(s)
		return v
	}
	l.lower(s)
	if l.trial.limit > 0 && s.inUse <= nearFull*l.trial.inUse {
		before := l.trial
		l.trial = trial{}
		if s.rate/before.rate <= 1.1*s.inUse/before.inUse { // less at once made nothing faster
			l.base, l.hold = time.Duration(s.took), false
			return verdict{change: true, limit: before.limit, restore: true}
		}
	}
	return l.judge(s, limit, x)
}

// judge compares with what is usual.
func (l *latency) judge(s summary, limit float64, x answer) verdict {
	worked := s.rate * l.tolerated()
	queued := s.inUse - worked
	low, high := max(1, math.Sqrt(limit)/2), max(2, math.Sqrt(limit))
	l.hold = queued > low && queued <= high
	switch {
	case queued > high:
		if l.trial.limit == 0 {
			l.trial = trial{limit, s.inUse, s.took, s.rate}
		}
		return verdict{change: true, limit: max(limit/2, min(limit, worked+low))}
	case l.probeDue(x.at) && limit >= 2:
		l.probing, l.hold, l.trial = trial{limit, s.inUse, s.took, s.rate}, true, trial{}
		l.after, l.skip = x.issued, int(limit/2)
		return verdict{change: true, limit: limit / 2, forNow: true}
	default:
		return verdict{}
	}
}

// tolerated is how long answers may take.
func (l *latency) tolerated() float64 { return float64(l.base) * (1 + tolerance + 2*l.noise) }

const probeEvery = 10 * time.Second

func (l *latency) probeDue(now time.Time) bool {
	if l.nextProbe.IsZero() {
		l.nextProbe = now.Add(max(probeEvery/10, 20*l.base))
	}
	return now.After(l.nextProbe)
}

// endProbe restores the limit, unless half of it does as much, and faster.
func (l *latency) endProbe(s summary, limit float64, now time.Time) verdict {
	before := l.probing
	l.lower(s)
	l.nextProbe = now.Add(max(probeEvery, 100*l.base))
	l.probing, l.hold = trial{}, false
	if s.rate >= 0.9*before.rate && s.took < (0.8-l.noise)*before.took {
		l.nextProbe = now // half of that may do, too
		return verdict{change: true, limit: limit}
	}
	return verdict{change: true, limit: before.limit, restore: true}
}

// lower takes a latency that was measured under load for usual if it is lower
// than what was: at once if that is beyond doubt, else a little.
func (l *latency) lower(s summary) {
	switch {
	case s.took < float64(l.base)*(1-tolerance-2*l.noise):
		l.rebase(s, 1)
	case s.took < float64(l.base):
		l.rebase(s, 1.0/4)
	}
}

func (l *latency) rebase(s summary, share float64) {
	if l.base == 0 {
		l.base, l.noise = time.Duration(s.took), s.noise
		return
	}
	l.base += time.Duration(share * (s.took - float64(l.base)))
	l.noise += min(share, 1.0/4) * (s.noise - l.noise)
}

// summary is what a window says, in robust means.
type summary struct {
	inUse, took float64
	load        float64 // share of the limit that was in use
	rate        float64 // requests in use by the time that one takes: answers in a nanosecond
	noise       float64 // standard error of took, as a share of it
}

func (l *latency) summary() summary {
	took := sorted(l.took[:l.n])
	n := len(took)
	s := summary{took: trimean(took)}
	// For a normal distribution the interquartile range is 1.35 standard
	// deviations, and the standard error of the median 1.25 of them / sqrt(n).
	s.noise = 1.25 / 1.35 * (took[n*3/4] - took[n/4]) / s.took / math.Sqrt(float64(n))
	s.load = trimean(sorted(l.load[:l.n]))
	s.inUse = trimean(sorted(l.inUse[:l.n]))
	s.rate = trimean(sorted(l.rate[:l.n]))
	return s
}

// trimean is Tukey's: nearly as robust as the median, but it sees a quarter
// that differs, as when requests go out in a bunch and only its end waits.
func trimean(x []float64) float64 {
	n := len(x)
	return (x[n/4] + 2*x[n/2] + x[n*3/4]) / 4
}

// sorted sorts in place: the window is used up.
func sorted(x []float64) []float64 {
	slices.Sort(x)
	return x
}
