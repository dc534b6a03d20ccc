package loadtest

import (
	"fmt"
	"io"
	"os"
)

// Meter gives a function for Offer that shows how far a run is: in place on a
// terminal, else in a line at its end.
func Meter(w io.Writer, name string) func(sent float64) {
	terminal := false
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	shown := 0
	return func(sent float64) {
		percent := int(100 * sent)
		switch {
		case percent == shown:
		case terminal:
			fmt.Fprintf(w, "\r%-54s %3d %%", name, percent)
		case percent == 100:
			fmt.Fprintln(w, name)
		}
		shown = percent
	}
}
