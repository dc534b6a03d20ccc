// Package report writes the experiments' results: Markdown tables that can be
// read in a terminal too, and the block of a page that a command owns.
package report
