package loadtest

import (
	"slices"
	"time"
)

// Result is the figures of one client under a load.
type Result struct {
	Client   string  `json:"client"`
	Calls    int     `json:"calls"`
	Ceiling  int     `json:"ceiling"` // fresh answers of a perfect queue
	Fresh    int     `json:"fresh"`
	Degraded int     `json:"degraded"`
	Failed   int     `json:"failed"`
	Goodput  float64 `json:"goodput"` // fresh answers per second while the load lasted
	P50      float64 `json:"p50_ms"`  // of the fresh answers
	P95      float64 `json:"p95_ms"`
	P99      float64 `json:"p99_ms"`
	Upstream float64 `json:"upstream_requests_per_call"`
	HitRatio float64 `json:"cache_hit_ratio"`
	// Late is how long after its time the latest request was sent. Where that is as long as
	// the upstream takes, the machine was too busy for the figures to say much.
	Late float64 `json:"late_ms"`
	// Steps is the share of fresh answers in each load step.
	Steps []float64 `json:"fresh_by_step"`
}

// Upstream is what stood behind the client: how many requests it got, and what it
// could do.
type Upstream struct {
	Requests int
	Slots    int           // requests served at once
	Service  time.Duration // that one takes
}

// Summarize counts the calls that Offer returned.
func (l Load) Summarize(client string, calls []*Call, up Upstream) Result {
	r := Result{Client: client, Calls: len(calls), Steps: make([]float64, len(l.Rates))}
	var took []time.Duration
	arrivals := make([]time.Duration, len(calls))
	offered := make([]int, len(l.Rates))
	inTime, hits := 0, 0
	for i, c := range calls {
		arrivals[i] = c.Arrived
		offered[c.Step]++
		r.Late = max(r.Late, millis(c.Arrived-c.Due))
		switch c.Answer {
		case Fresh:
			r.Fresh++
			r.Steps[c.Step]++
			took = append(took, c.Took)
			if c.Arrived+c.Took <= l.Duration() {
				inTime++
			}
			if c.Cached {
				hits++
			}
		case Degraded:
			r.Degraded++
		default:
			r.Failed++
		}
	}
	for s := range offered {
		r.Steps[s] /= float64(max(1, offered[s]))
	}
	slices.Sort(took)
	r.P50, r.P95, r.P99 = quantile(took, 0.5), quantile(took, 0.95), quantile(took, 0.99)
	r.Goodput = float64(inTime) / l.Duration().Seconds()
	r.Upstream = float64(up.Requests) / float64(max(1, len(calls)))
	r.HitRatio = float64(hits) / float64(max(1, len(calls)))
	r.Ceiling = Ceiling(arrivals, l.Deadline, up.Slots, up.Service)
	return r
}

// quantile gives milliseconds, by the nearest rank; 0 if there is nothing.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return millis(sorted[int(q*float64(len(sorted)-1)+0.5)])
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Share is n of all calls, in percent.
func (r Result) Share(n int) float64 { return 100 * float64(n) / float64(max(1, r.Calls)) }

// OfCeiling is the share of the ceiling that was answered, in percent.
func (r Result) OfCeiling() float64 { return 100 * float64(r.Fresh) / float64(max(1, r.Ceiling)) }
