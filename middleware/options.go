package middleware

import (
	"context"
	"slices"
	"strings"
)

// options are what the caller asks for a single call. They are one value in
// the context, immutable, and read once when the call begins.
type options struct {
	skip   []string
	values []optionValue
}

type optionValue struct {
	key   any
	value any
}

type optionsKey struct{}

func withOptions(ctx context.Context, change func(*options)) context.Context {
	var o options
	if old, ok := ctx.Value(optionsKey{}).(*options); ok {
		o.skip, o.values = slices.Clip(old.skip), slices.Clip(old.values)
	}
	change(&o)
	return context.WithValue(ctx, optionsKey{}, &o)
}

// Skip switches stages off for the calls made with the context that it
// returns. A stage is named by its type ("timeout": all of them) or by its full
// id ("timeout/attempt"). Skips add up.
func Skip(ctx context.Context, ids ...string) context.Context {
	return withOptions(ctx, func(o *options) { o.skip = append(o.skip, ids...) })
}

// Skipped tells whether the caller switched off the stage with this id.
func (e *Exchange) Skipped(id string) bool {
	if e.call.opts == nil || len(e.call.opts.skip) == 0 {
		return false
	}
	typ, _, _ := strings.Cut(id, "/")
	for _, s := range e.call.opts.skip {
		if s == id || s == typ {
			return true
		}
	}
	return false
}

// Option is a setting that a caller can give to a single call. A stage keeps
// its options in package variables and offers functions to set them.
type Option[T any] struct{ name string }

// NewOption makes an option; each is distinct, whatever its name, which is for
// people to read.
func NewOption[T any](name string) *Option[T] { return &Option[T]{name: name} }

// With gives a context whose calls have the option set to v.
func (o *Option[T]) With(ctx context.Context, v T) context.Context {
	return withOptions(ctx, func(opts *options) {
		opts.values = append(opts.values, optionValue{o, v})
	})
}

// Of gives the option's value for the call, and whether it was set; what was set last counts.
func (o *Option[T]) Of(e *Exchange) (v T, ok bool) {
	if e.call.opts == nil {
		return v, false
	}
	for _, x := range slices.Backward(e.call.opts.values) {
		if x.key == any(o) {
			return x.value.(T), true
		}
	}
	return v, false
}

// String gives the option's name.
func (o *Option[T]) String() string { return o.name }
