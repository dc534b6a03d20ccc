package conf

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Error is one thing that is wrong with a configuration, and where.
type Error struct {
	File         string // name of the file, or of the map given to FromMap
	Line, Column int    // from 1; 0 where there is no text (FromMap)
	Path         string // such as pipelines.deepseek.stages.retry.max_attempts; may be empty
	Message      string // what is wrong, and what would be right

	err error // what was located (see Locate)
}

// Error returns "http.yaml:12:7: path: message", without the parts that are
// not known.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	for _, s := range []string{e.Path, e.Message} {
		if s == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(s)
	}
	return b.String()
}

// Unwrap returns the validation error that Locate gave a position.
func (e *Error) Unwrap() error { return e.err }

// Errorf returns an error at the value of n.
func (n *Node) Errorf(format string, args ...any) *Error {
	return newError(n.Pos, n.Path, fmt.Sprintf(format, args...))
}

// KeyErrorf returns an error at the key of n.
func (n *Node) KeyErrorf(format string, args ...any) *Error {
	return newError(n.KeyPos, n.Path, fmt.Sprintf(format, args...))
}

func newError(pos Pos, path, message string) *Error {
	return &Error{File: pos.File, Line: pos.Line, Column: pos.Column, Path: path, Message: message}
}

// Errors is everything that is wrong: sorted by file, line and column, each
// error once. Collect makes it.
type Errors []error

// printed is how many errors Errors prints.
const printed = 25

// Error returns one error a line, at most 25, and how many more there are.
func (e Errors) Error() string {
	lines := make([]string, 0, min(len(e), printed)+1)
	for i, err := range e {
		if i == printed {
			lines = append(lines, fmt.Sprintf("and %d more", len(e)-printed))
			break
		}
		lines = append(lines, err.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns all errors, for errors.Is and errors.As.
func (e Errors) Unwrap() []error { return e }

// Collect makes an Errors of all errors that are not nil, the lists among them
// taken apart. It returns nil if there are none. Errors without a position
// come last.
func Collect(errs ...error) error {
	all := flatten(nil, errs)
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, compareErrors)
	seen := make(map[string]bool, len(all))
	return Errors(slices.DeleteFunc(all, func(err error) bool {
		text := err.Error()
		defer func() { seen[text] = true }()
		return seen[text]
	}))
}

func flatten(to, errs []error) []error {
	for _, err := range errs {
		switch list, isList := err.(interface{ Unwrap() []error }); {
		case err == nil:
		case isList:
			to = flatten(to, list.Unwrap())
		default:
			to = append(to, err)
		}
	}
	return to
}

func compareErrors(a, b error) int {
	var x, y *Error
	okX, okY := errors.As(a, &x), errors.As(b, &y)
	switch {
	case okX && okY:
		return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column),
			cmp.Compare(x.Path, y.Path), cmp.Compare(x.Message, y.Message))
	case okX:
		return -1
	case okY:
		return 1
	}
	return 0
}
