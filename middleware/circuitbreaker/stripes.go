package circuitbreaker

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// stripes spreads counters over the processors, so that they do not fight for
// one cache line. A sync.Pool keeps what is put back at the processor that put
// it there: what comes out of it tells processors apart, as nothing else does
// in Go without a lock. Which stripe is used is never a matter of correctness.
type stripes struct {
	n    int // a power of two
	pool sync.Pool
}

// maxStripes bounds what a counter can cost: 4 KiB.
const maxStripes = 64

func (s *stripes) init() {
	s.n = 1
	for s.n < runtime.GOMAXPROCS(0) && s.n < maxStripes {
		s.n *= 2
	}
	var last atomic.Uint32
	s.pool.New = func() any {
		i := last.Add(1)
		return &i
	}
}

// here gives the stripe of the processor that the caller runs on, below n.
func (s *stripes) here() int {
	i := s.pool.Get().(*uint32)
	n := int(*i) & (s.n - 1)
	s.pool.Put(i)
	return n
}
