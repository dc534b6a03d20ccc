package main

import "time"

// ceiling is the number of calls that a perfect queue could have answered in
// time: the upstream's slots are never idle while somebody waits who can still
// be served, and no slot is ever spent on an answer that comes too late. All
// callers wait equally long, so first come is earliest deadline first, which is
// optimal for jobs of equal length.
func ceiling(calls []*call, deadline time.Duration, slots int, service time.Duration) int {
	free := make([]time.Duration, slots) // when each slot is free
	served := 0
	for _, c := range calls {
		first := 0
		for i := range free {
			if free[i] < free[first] {
				first = i
			}
		}
		if done := max(c.arrived, free[first]) + service; done <= c.arrived+deadline {
			free[first] = done
			served++
		}
	}
	return served
}
