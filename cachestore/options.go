package cachestore

import (
	"errors"
	"fmt"
	"time"
)

// Defaults of the [Adapter].
const (
	DefaultPrefix        = "headgate."
	DefaultTTLResolution = time.Second
)

const maxPrefixBytes = 128

// Option changes how an [Adapter] treats its store.
type Option func(*settings)

type settings struct {
	prefix        string
	ttlResolution time.Duration
	exclusive     bool
	strings       bool
	isMiss        func(error) bool
}

// WithPrefix sets what each of the adapter's keys begins with: 1 to 128 letters, digits, '.', '-', '_', '/' or
// ':'. Two caches over one store need two prefixes. Default "headgate.", which every gocache store takes.
func WithPrefix(prefix string) Option {
	return func(s *settings) { s.prefix = prefix }
}

// WithTTLResolution sets to what multiple a TTL is rounded up. Default one second, because several stores cut
// it off to whole seconds and take the zero that remains of 300ms for "no end". A store that is exact may be
// given time.Millisecond, or 1 to round nothing.
func WithTTLResolution(d time.Duration) Option {
	return func(s *settings) { s.ttlResolution = d }
}

// WithExclusive says that nobody else keeps anything in the store, so that Clear may be passed on: most gocache
// stores empty everything then, the Redis ones with FLUSHALL. Without it Clear is store.ErrNotSupported.
func WithExclusive() Option {
	return func(s *settings) { s.exclusive = true }
}

// WithStringValues hands values to the store as strings, for stores that take nothing else (rueidis). What they
// return may be either in any case.
func WithStringValues() Option {
	return func(s *settings) { s.strings = true }
}

// WithMiss adds a test for errors that only say that a key is not there, for stores whose errors [IsMiss] does
// not know.
func WithMiss(isMiss func(error) bool) Option {
	return func(s *settings) { s.isMiss = isMiss }
}

func (s settings) validate() error {
	var errs []error
	if n := len(s.prefix); n < 1 || n > maxPrefixBytes {
		errs = append(errs, fmt.Errorf("WithPrefix: %d bytes: want 1 to %d", n, maxPrefixBytes))
	}
	for _, c := range []byte(s.prefix) {
		if !isPrefixByte(c) {
			errs = append(errs, fmt.Errorf("WithPrefix: %q has the byte %q: want letters, digits and any of .-_/: in it", s.prefix, c))
			break
		}
	}
	if s.ttlResolution <= 0 {
		errs = append(errs, fmt.Errorf("WithTTLResolution: %s: want more than zero, such as %s", s.ttlResolution, DefaultTTLResolution))
	}
	return errors.Join(errs...)
}

func isPrefixByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	case c == '.', c == '-', c == '_', c == '/', c == ':':
		return true
	}
	return false
}
