package loadtest

import "time"

// Ceiling is the number of calls that a perfect queue could have answered in
// time: the upstream's slots are never idle while somebody waits who can still
// be served, and no slot is ever spent on an answer that comes too late. The
// arrivals are in order and all callers wait equally long, so first come is
// earliest deadline first, which is optimal for jobs of equal length.
func Ceiling(arrivals []time.Duration, deadline time.Duration, slots int, service time.Duration) int {
	free := make([]time.Duration, slots) // when each slot is free
	served := 0
	for _, arrived := range arrivals {
		first := 0
		for i := range free {
			if free[i] < free[first] {
				first = i
			}
		}
		if done := max(arrived, free[first]) + service; done <= arrived+deadline {
			free[first] = done
			served++
		}
	}
	return served
}
