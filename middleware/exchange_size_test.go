package middleware

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// A call that waits in a queue is mostly this, and one byte more than a size
// class has costs 128. The runtime puts 8 in front.
func TestACallInAChainFillsASizeClass(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(callInChain{}), uintptr(1152-8))
}
