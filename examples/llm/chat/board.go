package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode/utf8"
)

// The sides of the board.
const (
	left  = 0
	right = 1
)

// width is that of a side, in characters.
const width = 44

// board shows two texts side by side while they grow. Written to a file or a
// pipe it shows them once, when both are complete.
type board struct {
	out  io.Writer
	live bool

	mu    sync.Mutex
	texts [2]string
	ends  [2]string
	drawn int // lines to go up before drawing again
}

func newBoard(out io.Writer) *board {
	b := &board{out: out}
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		b.live = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return b
}

// begin starts a new pair of texts.
func (b *board) begin(title, question string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.texts, b.ends, b.drawn = [2]string{}, [2]string{}, 0
	fmt.Fprintf(b.out, "\n%s. %s\n", title, question)
	fmt.Fprintf(b.out, "%s   %s\n", cell("plain http.Client"), "Headgate")
	fmt.Fprintf(b.out, "%s   %s\n", strings.Repeat("-", width), strings.Repeat("-", width))
}

// add lets a side's text grow.
func (b *board) add(side int, piece string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.texts[side] += piece
	b.redraw()
}

// end says how a side has ended, and what it cost.
func (b *board) end(side int, verdict, cost string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ends[side] = "[" + verdict + "]"
	if cost != "" {
		b.ends[side] = "[" + verdict + "; " + cost + "]"
	}
	b.redraw()
}

// text is a side's text so far.
func (b *board) text(side int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.texts[side]
}

// done shows the result where nobody has watched.
func (b *board) done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.live {
		b.draw()
	}
}

func (b *board) redraw() {
	if !b.live {
		return
	}
	if b.drawn > 0 {
		fmt.Fprintf(b.out, "\x1b[%dA\x1b[J", b.drawn) // up, and clear what is below
	}
	b.draw()
}

func (b *board) draw() {
	l, r := b.lines(left), b.lines(right)
	b.drawn = max(len(l), len(r))
	for i := range b.drawn {
		fmt.Fprintln(b.out, strings.TrimRight(cell(line(l, i))+"   "+line(r, i), " "))
	}
}

// lines breaks a side's text between words, and puts its end below.
func (b *board) lines(side int) []string {
	var all []string
	current := ""
	for word := range strings.FieldsSeq(b.texts[side]) {
		if current != "" && utf8.RuneCountInString(current)+1+utf8.RuneCountInString(word) > width {
			all = append(all, current)
			current = ""
		}
		current = strings.TrimSpace(current + " " + word)
	}
	if current != "" {
		all = append(all, current)
	}
	if b.ends[side] != "" {
		all = append(all, b.ends[side])
	}
	return all
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

// cell fills up a side.
func cell(text string) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}
