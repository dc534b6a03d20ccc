package semaphore_test

import (
	"fmt"
	"testing"
	"testing/synctest"
)

// verdict collects what a simulation did not show.
type verdict struct{ failures []string }

func (v *verdict) Errorf(format string, args ...any) {
	v.failures = append(v.failures, fmt.Sprintf(format, args...))
}

// mostly runs a simulation in a bubble. An adaptive limit learns from the order
// in which goroutines happen to run, which the bubble does not fix, so a single
// run can go astray: where the first does not show what it should, the next two
// both have to.
func mostly(t *testing.T, simulate func(t *testing.T, v *verdict)) {
	t.Helper()
	run := func() *verdict {
		v := new(verdict)
		synctest.Test(t, func(t *testing.T) { simulate(t, v) })
		return v
	}
	first := run()
	if len(first.failures) == 0 {
		return
	}
	t.Logf("the first run did not show it: %v", first.failures)
	for range 2 {
		for _, failure := range run().failures {
			t.Error(failure)
		}
	}
}
