package memory

import (
	"fmt"
	"math"

	"github.com/headgate-go/headgate/cachestore"
)

// sizeOf is how many bytes value holds.
func sizeOf(value any) (int64, error) {
	switch v := value.(type) {
	case []byte:
		return int64(cap(v)), nil // cap: the rest of the array stays in memory with it
	case string:
		return int64(len(v)), nil
	case cachestore.Sizer:
		if size := v.Size(); size >= 0 {
			return size, nil
		}
		return 0, &cachestore.ValueTypeError{Type: fmt.Sprintf("%T", value), Want: "a Size() that is not negative"}
	default:
		return 0, &cachestore.ValueTypeError{Type: fmt.Sprintf("%T", value), Want: "[]byte, string or Size() int64"}
	}
}

func saturatingAdd(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
