package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/headgate-go/headgate/examples/llm/sdks"
)

// row is a line of a table: failures with equal cells, in one mode or in both.
type row struct {
	names []string
	mode  string
	cells []string // one for each SDK
}

// table writes the results of cells with and without Headgate side by side.
// They are of the same cells in the same order.
func table(w io.Writer, without, with []result, always bool) {
	var names []string
	for _, sdk := range sdks.All() {
		names = append(names, sdk.Name)
	}
	fmt.Fprintf(w, "| The upstream | Asked for | %s |\n", strings.Join(names, " | "))
	fmt.Fprintln(w, "| --- | --- |"+strings.Repeat(" --- |", len(names)))
	for _, r := range merged(rows(without, with, always)) {
		fmt.Fprintf(w, "| %s | %s | %s |\n", strings.Join(r.names, "; "), r.mode, strings.Join(r.cells, " | "))
	}
}

// rows has one line for each failure and mode.
func rows(without, with []result, always bool) []row {
	column := map[string]int{}
	for i, sdk := range sdks.All() {
		column[sdk.Name] = i
	}
	var all []row
	for i, plain := range without {
		if plain.always != always {
			continue
		}
		last := len(all) - 1
		if last < 0 || all[last].names[0] != plain.failure.Name || all[last].mode != plain.mode() {
			all = append(all, row{[]string{plain.failure.Name}, plain.mode(), slices.Repeat([]string{"-"}, len(column))})
			last++
		}
		all[last].cells[column[plain.sdk.Name]] = plain.brief() + " → " + with[i].brief()
	}
	return all
}

// brief is outcome and requests upstream.
func (r result) brief() string {
	s := fmt.Sprintf("%s %d", r.outcome, r.attempts)
	if r.early {
		s += " early"
	}
	return s
}

// merged puts equal neighbours together: first the modes of a failure, then failures.
func merged(all []row) []row {
	modes := all[:0:0]
	for _, r := range all {
		if last := len(modes) - 1; last >= 0 && modes[last].names[0] == r.names[0] && slices.Equal(modes[last].cells, r.cells) {
			modes[last].mode = "both"
			continue
		}
		modes = append(modes, r)
	}
	out := modes[:0:0]
	for _, r := range modes {
		if last := len(out) - 1; last >= 0 && out[last].mode == r.mode && slices.Equal(out[last].cells, r.cells) {
			out[last].names = append(slices.Clone(out[last].names), r.names...)
			continue
		}
		out = append(out, r)
	}
	return out
}

// summary counts what the caller got.
func summary(w io.Writer, without, with []result) {
	fmt.Fprintln(w, "| Of the calls | without | with Headgate |")
	fmt.Fprintln(w, "| --- | --- | --- |")
	line := func(about string, is func(result) bool) {
		fmt.Fprintf(w, "| %s | %d | %d |\n", about, count(without, is), count(with, is))
	}
	fmt.Fprintf(w, "| all | %d | %d |\n", len(without), len(with))
	line("got the whole reply", func(r result) bool { return r.outcome == ok })
	line("got an error in time", func(r result) bool { return r.outcome == failed })
	line("ended without an error and without the whole reply", func(r result) bool { return r.outcome == silent })
	line("hung until the caller's deadline", func(r result) bool { return r.outcome == hung })
	line("came back before the upstream had asked for", func(r result) bool { return r.early })
	line(fmt.Sprintf("cost more than %d requests, and one for each time that the SDK repeats", attempts), func(r result) bool { return r.attempts > r.budget() })
	fmt.Fprintf(w, "| tokens written for replies that nobody got whole | %d | %d |\n", wasted(without), wasted(with))
	line("ended as they should, in all of this", func(r result) bool { return len(r.problems()) == 0 })
}

func wasted(all []result) int {
	n := 0
	for _, r := range all {
		n += r.wasted
	}
	return n
}

func count(all []result, is func(result) bool) int {
	n := 0
	for _, r := range all {
		if is(r) {
			n++
		}
	}
	return n
}
