package conf

import (
	"errors"
	"fmt"
)

// Limits bounds what Parse takes in. All are required; DefaultLimits has
// values that are far above any configuration written by hand.
type Limits struct {
	Bytes int // size of a document; default 1 MiB
	Depth int // nesting of maps and lists; default 64
	Nodes int // number of maps, lists and scalars; default 10000
}

// DefaultLimits returns the limits that the field comments of Limits tell.
func DefaultLimits() Limits {
	return Limits{Bytes: 1 << 20, Depth: 64, Nodes: 10_000}
}

// Validate tells everything that is wrong with the limits.
func (l Limits) Validate() error {
	var errs []error
	for _, v := range []struct {
		key   string
		value int
	}{{"bytes", l.Bytes}, {"depth", l.Depth}, {"nodes", l.Nodes}} {
		if v.value <= 0 {
			errs = append(errs, fmt.Errorf("%s is %d; it must be positive (see DefaultLimits)", v.key, v.value))
		}
	}
	return errors.Join(errs...)
}

// maxPath bounds the length of a path, in bytes, because every node below
// holds a copy of it.
const maxPath = 1024

// maxExpanded bounds what the environment may add to one tree, in bytes.
const maxExpanded = 1 << 20
