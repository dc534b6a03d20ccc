package main

import (
	"fmt"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/report"
)

// The benchmarks of the stage "base", and the clients that others are measured by.
const (
	baseStage     = "base"
	stubClient    = "stub"
	chainClient   = "chain"
	inChain       = "Headgate, in a chain"
	headgateAlone = "Headgate"
	refusal       = "refusal" // its figures are absolute
)

// table has a row for each client of each stage.
func table(all []measured) *report.Table {
	at := map[[3]string]measured{}
	for _, m := range all {
		at[key(m.stage, m.client, m.contended)] = m
	}
	over := func(stage, client string, contended bool) (ns, allocs float64, ok bool) {
		m, ok := at[key(stage, client, contended)]
		if !ok {
			return 0, 0, false
		}
		base := measured{}
		switch {
		case stage == refusal || stage == baseStage:
		case client == inChain:
			base = at[key(baseStage, chainClient, contended)]
		default:
			base = at[key(baseStage, stubClient, contended)]
		}
		return m.ns - base.ns, m.allocs - base.allocs, true
	}
	t := &report.Table{Head: []string{"stage", "client", "over the base", "allocations", "factor", "contended", "factor"}}
	for _, m := range all {
		if m.contended {
			continue
		}
		row := []string{m.stage, m.client}
		ns, allocs, _ := over(m.stage, m.client, false)
		row = append(row, nanoseconds(ns), fmt.Sprintf("%.0f", allocs), factor(ns, over, m, false))
		if ns, _, ok := over(m.stage, m.client, true); ok {
			row = append(row, nanoseconds(ns), factor(ns, over, m, true))
		}
		t.Add(row...)
	}
	return t
}

func key(stage, client string, contended bool) [3]string {
	return [3]string{stage, client, fmt.Sprint(contended)}
}

// factor compares a peer with Headgate. What is within the noise of a measurement
// counts as a nanosecond, so that no factor comes of it.
func factor(ns float64, over func(string, string, bool) (float64, float64, bool), m measured, contended bool) string {
	if m.stage == baseStage || m.client == inChain || m.client == headgateAlone {
		return ""
	}
	ours, _, ok := over(m.stage, inChain, contended)
	if !ok {
		ours, _, ok = over(m.stage, headgateAlone, contended)
	}
	if !ok || ours < 1 || ns < 1 {
		return ""
	}
	return fmt.Sprintf("%.1f", ns/ours)
}

func nanoseconds(ns float64) string {
	if ns < 10 {
		return fmt.Sprintf("%.1f ns", ns)
	}
	return fmt.Sprintf("%.0f ns", ns)
}
