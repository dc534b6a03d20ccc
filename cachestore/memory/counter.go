package memory

import (
	"sync/atomic"
	"unsafe"
)

// counterStripes is a power of two, well above the number of processors that read one cache at the same instant.
const counterStripes = 32

// counter counts on the path of a hit, where one shared word would have the processors wait for each other and a
// sync.Pool as processor token costs 20 ns, a quarter of the whole Get. A goroutine's stack serves as its token:
// its address differs between goroutines and costs nothing to know. It only chooses where to count; that a stack
// moves does no harm.
type counter struct {
	stripes [counterStripes]struct {
		n atomic.Uint64
		_ [120]byte // two cache lines, so that no two stripes share one wherever the counter lies
	}
}

func (c *counter) add() {
	var local byte
	address := uint64(uintptr(unsafe.Pointer(&local)))
	const golden = 0x9e3779b97f4a7c15 // spreads the addresses, which are multiples of the stack size
	c.stripes[(address>>11)*golden>>59%counterStripes].n.Add(1)
}

func (c *counter) value() (sum uint64) {
	for i := range c.stripes {
		sum += c.stripes[i].n.Load()
	}
	return sum
}
