package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

func valueChecks(cfg config) []Check {
	checks := []Check{
		{Name: "keys_may_hold_any_bytes", run: keysHoldAnyBytes},
		{Name: "values_may_hold_any_bytes", run: valuesHoldAnyBytes},
	}
	if cfg.immutable {
		return append(checks, Check{Name: "the_same_value_comes_back", run: sameValueComesBack})
	}
	return append(checks,
		Check{Name: "set_keeps_no_reference_to_the_value", run: setKeepsNoReference},
		Check{Name: "get_gives_a_value_of_the_callers_own", run: getGivesOwnValue},
	)
}

// keysHoldAnyBytes stores all keys before it reads any, so that two that are taken for one show.
func keysHoldAnyBytes(e *env) error {
	keys := []string{
		"", " ", "a", "a ", " a", "A", "a\x00", "a\x00b", "\x00", "\xff\xfe", "a\nb", "a\r\nDELETE a", "ä", "a\u0308",
		"../../outside", "/etc/outside", `..\outside`, "a/b", "a//b", "a:b", "a*", "a?b=c&d", "%2e%2e", "CON", ".", "..",
		"gocache_tag_a", "{a}", "$(a)", "'; drop table a",
		strings.Repeat("k", 251), strings.Repeat("k", 4096), strings.Repeat("k", 4096) + "2",
	}
	for i, key := range keys {
		if err := e.set(key, fmt.Appendf(nil, "value %d", i)); err != nil {
			return err
		}
	}
	for i, key := range keys {
		if err := e.expectValue(key, fmt.Appendf(nil, "value %d", i)); err != nil {
			return err
		}
	}
	for i, key := range keys {
		if err := e.delete(key); err != nil {
			return err
		}
		if err := e.expectMiss(key); err != nil {
			return err
		}
		if i+1 < len(keys) {
			if err := e.expectValue(keys[i+1], fmt.Appendf(nil, "value %d", i+1)); err != nil {
				return fmt.Errorf("after Delete(%s): %w", label(key), err)
			}
		}
	}
	return nil
}

func valuesHoldAnyBytes(e *env) error {
	everyByte := make([]byte, 256)
	for i := range everyByte {
		everyByte[i] = byte(i)
	}
	for name, value := range map[string][]byte{
		"empty":      {},
		"one NUL":    {0},
		"NULs":       make([]byte, 100),
		"every byte": everyByte,
		"not UTF-8":  {0xff, 0xfe, 0x80},
		"new lines":  []byte("\r\n\r\n"),
		"1 MiB":      bytes.Repeat(everyByte, 4096),
	} {
		if err := e.set(name, value); err != nil {
			return err
		}
		if err := e.expectValue(name, value); err != nil {
			return err
		}
		got, _, err := e.store.GetWithTTL(e, name)
		if err != nil {
			return fmt.Errorf("GetWithTTL(%s): %w", label(name), err)
		}
		if err := sameValue(fmt.Sprintf("GetWithTTL(%s)", label(name)), got, value); err != nil {
			return err
		}
	}
	return nil
}

func setKeepsNoReference(e *env) error {
	value := []byte("as it was stored")
	if err := e.set("a", value); err != nil {
		return err
	}
	clear(value)
	if err := e.expectValue("a", []byte("as it was stored")); err != nil {
		return fmt.Errorf("after the caller changed its slice: %w", err)
	}
	return nil
}

func getGivesOwnValue(e *env) error {
	if err := e.set("a", []byte("as it was stored")); err != nil {
		return err
	}
	byGet, errGet := e.store.Get(e, "a")
	byTTL, _, errTTL := e.store.GetWithTTL(e, "a")
	if err := errors.Join(errGet, errTTL); err != nil {
		return err
	}
	for _, got := range []any{byGet, byTTL} {
		b, ok := got.([]byte)
		if !ok {
			return fmt.Errorf("value of type %T, want []byte", got)
		}
		clear(b)
		if err := e.expectValue("a", []byte("as it was stored")); err != nil {
			return fmt.Errorf("after the caller changed what it had got: %w", err)
		}
	}
	return nil
}

// sized is a value as an immutable store takes it.
type sized struct{ body []byte }

func (s *sized) Size() int64 { return int64(24 + cap(s.body)) }

func sameValueComesBack(e *env) error {
	value := &sized{body: []byte("body")}
	if err := e.store.Set(e, "a", value); err != nil {
		return fmt.Errorf("value with Size() int64: %w", err)
	}
	byGet, errGet := e.store.Get(e, "a")
	byTTL, _, errTTL := e.store.GetWithTTL(e, "a")
	if err := errors.Join(errGet, errTTL); err != nil {
		return err
	}
	if byGet != any(value) || byTTL != any(value) {
		return errors.New("another value came back than the one stored, want the same pointer")
	}
	return nil
}
