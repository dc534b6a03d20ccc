// Package figures computes what the experiments report: quantiles, the ceiling
// of a perfect queue, and fairness.
package figures
