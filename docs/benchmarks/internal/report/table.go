package report

import (
	"strings"
	"unicode/utf8"
)

// Table is a Markdown table. Its first column is text, the others are figures.
type Table struct {
	Head []string
	Rows [][]string
}

// Add adds a row. Cells that are missing at its end stay empty.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// String gives the table with its columns aligned, so that it can be read as it is.
func (t *Table) String() string {
	width := make([]int, len(t.Head))
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		for i := range t.Head {
			width[i] = max(width[i], 3, utf8.RuneCountInString(cell(row, i)))
		}
	}
	var b strings.Builder
	line := func(text func(column int) string) {
		for i := range t.Head {
			b.WriteString("| " + text(i) + " ")
		}
		b.WriteString("|\n")
	}
	aligned := func(row []string) {
		line(func(i int) string {
			text := cell(row, i)
			space := strings.Repeat(" ", width[i]-utf8.RuneCountInString(text))
			if i == 0 {
				return text + space
			}
			return space + text
		})
	}
	aligned(t.Head)
	line(func(i int) string {
		if i == 0 {
			return strings.Repeat("-", width[i])
		}
		return strings.Repeat("-", width[i]-1) + ":"
	})
	for _, row := range t.Rows {
		aligned(row)
	}
	return b.String()
}

// cell is the cell's text; a bar in it would end it.
func cell(row []string, i int) string {
	if i >= len(row) {
		return ""
	}
	return strings.ReplaceAll(row[i], "|", `\|`)
}
