package hedge

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	samples = 128 // that count
	refresh = 32  // samples between two computations
)

// latencies are the last times until the headers, and two quantiles of them.
type latencies struct {
	ring   [samples]atomic.Int64
	count  atomic.Int64
	slow   atomic.Int64 // the configured quantile; 0 before there are enough
	median atomic.Int64

	mu     sync.Mutex
	sorted [samples]int64
}

// add adds a sample. It waits for nobody: of two that would compute, one does.
func (l *latencies) add(d time.Duration, cfg *Config) {
	n := l.count.Add(1)
	l.ring[(n-1)%samples].Store(int64(d))
	if n < int64(cfg.MinSamples) || n != int64(cfg.MinSamples) && n%refresh != 0 || !l.mu.TryLock() {
		return
	}
	defer l.mu.Unlock()
	s := l.sorted[:min(n, samples)]
	for i := range s {
		s[i] = l.ring[i].Load()
	}
	slices.Sort(s)
	last := float64(len(s) - 1)
	l.median.Store(s[int(last/2+0.5)])
	l.slow.Store(s[int(last*cfg.Percentile+0.5)])
}

// delay is the time that an attempt has before a copy is sent.
func (l *latencies) delay(cfg *Config) time.Duration {
	if cfg.Percentile == 0 {
		return cfg.Delay
	}
	if slow := time.Duration(l.slow.Load()); slow > 0 {
		return min(slow, cfg.Delay)
	}
	return cfg.Delay
}

// typical is how long an answer takes as a rule; 0 before that is known.
func (l *latencies) typical() time.Duration { return time.Duration(l.median.Load()) }
