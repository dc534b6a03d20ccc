package memory

import (
	"sync/atomic"
	"unsafe"
)

const stripes = 16 // a power of two

type counter struct {
	stripes [stripes]struct {
		n atomic.Uint64
		_ [56]byte
	}
}

func (c *counter) add() {
	var local byte
	c.stripes[uintptr(unsafe.Pointer(&local))>>11%stripes].n.Add(1)
}
