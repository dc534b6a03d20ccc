package storetest

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/eko/gocache/lib/v4/store"
)

// expectValue wants key to be there with the value.
func (e *env) expectValue(key any, want []byte) error {
	got, err := e.store.Get(e, key)
	if err != nil {
		return fmt.Errorf("Get(%s): error %w, want a value", label(key), err)
	}
	return sameValue(fmt.Sprintf("Get(%s)", label(key)), got, want)
}

func sameValue(call string, got any, want []byte) error {
	b, ok := got.([]byte)
	if !ok {
		return fmt.Errorf("%s: value of type %T, want []byte", call, got)
	}
	if !bytes.Equal(b, want) {
		return fmt.Errorf("%s: %d bytes that differ from the %d stored", call, len(b), len(want))
	}
	return nil
}

// expectMiss wants key not to be there, in the one shape that says so.
func (e *env) expectMiss(key any) error {
	got, err := e.store.Get(e, key)
	if err := isMiss(fmt.Sprintf("Get(%s)", label(key)), got, err); err != nil {
		return err
	}
	got, ttl, err := e.store.GetWithTTL(e, key)
	if ttl != 0 {
		return fmt.Errorf("GetWithTTL(%s): a miss with a TTL of %s, want 0", label(key), ttl)
	}
	return isMiss(fmt.Sprintf("GetWithTTL(%s)", label(key)), got, err)
}

func isMiss(call string, got any, err error) error {
	switch {
	case err == nil && got == nil:
		return fmt.Errorf("%s: nil without an error, want store.NotFound", call)
	case err == nil:
		return fmt.Errorf("%s: a value, want store.NotFound", call)
	case !errors.Is(err, store.NotFound{}):
		return fmt.Errorf("%s: error %T, want store.NotFound", call, err)
	case got != nil:
		return fmt.Errorf("%s: a value with the miss, want nil", call)
	}
	return nil
}

func (e *env) set(key any, value []byte, options ...store.Option) error {
	if err := e.store.Set(e, key, value, options...); err != nil {
		return fmt.Errorf("Set(%s, %d bytes): %w", label(key), len(value), err)
	}
	return nil
}

func (e *env) delete(key any) error {
	if err := e.store.Delete(e, key); err != nil {
		return fmt.Errorf("Delete(%s): %w", label(key), err)
	}
	return nil
}

// label keeps long and binary keys readable.
func label(key any) string {
	return fmt.Sprintf("%.40q", key)
}

// first returns the first error of the steps, which it runs in order until then.
func first(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
