// Package figures computes what the experiments report: quantiles and fairness.
package figures
