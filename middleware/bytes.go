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
	size   float64
}{
	// The longer suffixes stand first, so that "MiB" is not read as "B".
	{"KiB", float64(KiB)}, {"MiB", float64(MiB)}, {"GiB", float64(GiB)}, {"TiB", float64(TiB)},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"B", 1},
}

// UnmarshalText reads a size such as 64MiB. Negative, fractional and
// overflowing numbers of bytes are errors.
func (b *Bytes) UnmarshalText(text []byte) error {
	number, unit := strings.TrimSpace(string(text)), 1.0
	for _, u := range byteUnits {
		if rest, ok := strings.CutSuffix(number, u.suffix); ok {
			number, unit = strings.TrimSpace(rest), u.size
			break
		}
	}
	if n, err := strconv.ParseInt(number, 10, 64); err == nil && unit == 1 && n >= 0 {
		*b = Bytes(n)
		return nil
	}
	v, err := strconv.ParseFloat(number, 64)
	size := v * unit
	if err != nil || math.IsNaN(size) || size < 0 || size >= math.MaxInt64 || size != math.Trunc(size) {
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
		if u := byteUnits[i]; b != 0 && b%Bytes(u.size) == 0 {
			return strconv.FormatInt(int64(b)/int64(u.size), 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B"
}
