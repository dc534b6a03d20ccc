package semaphore

import (
	"math"
	"slices"
)

const (
	windowMax = 64
	windowMin = 8
	outlier   = 2 // times the median: what took longer counts as that
)

// window collects answers: about a round trip's worth of them.
type window struct {
	n, size int
	took    [windowMax]float64 // nanoseconds from the permit to the headers
	inUse   float64            // the sum of what was in use when they were sent
}

// summary is what a window says.
type summary struct {
	took  float64 // nanoseconds from the permit to the headers, on average
	inUse float64 // permits in use when the requests were sent, on average
	noise float64 // standard error of took, as a share of it
}

// rate is the answers in a nanosecond, by Little's law.
func (s summary) rate() float64 { return s.inUse / s.took }

// add reports whether there are as many answers as wanted. Then read them with
// summary.
func (w *window) add(x answer, want int) bool {
	if w.n == 0 {
		w.size, w.inUse = min(windowMax, max(windowMin, want)), 0
	}
	w.took[w.n] = float64(x.took)
	w.inUse += float64(x.inUse)
	w.n++
	return w.n == w.size
}

// summary empties the window. It takes the mean, as Little's law is about
// means, and as a median does not see it when requests go out in bunches and
// the end of each waits; but no single answer may count for many.
func (w *window) summary() summary {
	n := float64(w.n)
	took := w.took[:w.n]
	slices.Sort(took)
	most := outlier * took[w.n/2]
	var sum, squares float64
	for _, t := range took {
		t = min(t, most)
		sum += t
		squares += t * t
	}
	mean := sum / n
	deviation := math.Sqrt(max(0, squares/n-mean*mean))
	s := summary{took: mean, inUse: w.inUse / n, noise: deviation / mean / math.Sqrt(n)}
	w.n = 0
	return s
}
