package middleware

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a number of bytes. In configuration it is written with a unit:
// B, KiB, MiB, GiB, TiB (powers of 1024) or KB, MB, GB, TB (powers of 1000),
// for example 64MiB or 1.5GiB; a bare number counts bytes.
type Bytes int64

// Units of Bytes.
const (
	KiB Bytes = 1 << (10 * (iota + 1))
	MiB
	GiB
	TiB
)

var byteUnits = []struct {
	suffix string
	size   Bytes
}{
	// The longer suffixes stand first, so that "MiB" is not read as "B".
	{"KiB", KiB}, {"MiB", MiB}, {"GiB", GiB}, {"TiB", TiB},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"B", 1},
}

// UnmarshalText reads a size such as 64MiB. Negative, fractional and
// overflowing numbers of bytes are errors.
func (b *Bytes) UnmarshalText(text []byte) error {
	number, unit := strings.TrimSpace(string(text)), Bytes(1)
	for _, u := range byteUnits {
		if rest, ok := strings.CutSuffix(number, u.suffix); ok {
			number, unit = strings.TrimSpace(rest), u.size
			break
		}
	}
	// A float64 has no room for all whole numbers.
	if n, err := strconv.ParseInt(number, 10, 64); err == nil && n >= 0 && Bytes(n) <= math.MaxInt64/unit {
		*b = Bytes(n) * unit
		return nil
	}
	v, err := parseDecimal(number)
	size := v * float64(unit)
	if err != nil || size < 0 || size >= math.MaxInt64 || size != math.Trunc(size) {
		return fmt.Errorf("%.40q is not a size; write for example 64MiB, 512KiB or 1GB", text)
	}
	*b = Bytes(size)
	return nil
}

// MarshalText writes the size as String does.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// String gives the size in the largest binary unit that divides it exactly.
func (b Bytes) String() string {
	for i := 3; i >= 0; i-- {
		if u := byteUnits[i]; b != 0 && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B"
}
