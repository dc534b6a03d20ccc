package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/eko/gocache/lib/v4/store"
)

func safetyChecks(cfg config) []Check {
	checks := []Check{
		{Name: "a_key_of_an_odd_type_is_an_error", run: oddKeyIsError},
		{Name: "errors_show_no_value", run: errorsShowNoValue},
		{Name: "a_cancelled_context_ends_calls", run: cancelledContextEnds},
		{Name: "concurrent_use", run: concurrentUse},
	}
	if cfg.bound > 0 {
		checks = append(checks, Check{Name: "what_is_held_is_bounded", run: heldIsBounded})
	}
	return checks
}

const secret = "hunter2-swordfish-s3cr3t"

// oddKeyIsError: gocache's keys are any, and a caller's mistake must not be a panic.
func oddKeyIsError(e *env) error {
	for _, key := range []any{nil, struct{ name string }{secret}, map[string]int{}} {
		_, errGet := e.store.Get(e, key)
		_, _, errTTL := e.store.GetWithTTL(e, key)
		for call, err := range map[string]error{
			"Get":        errGet,
			"GetWithTTL": errTTL,
			"Set":        e.store.Set(e, key, []byte("value")),
			"Delete":     e.store.Delete(e, key),
		} {
			if err == nil {
				return fmt.Errorf("%s with a key of type %T: no error", call, key)
			}
			if errors.Is(err, store.NotFound{}) {
				return fmt.Errorf("%s with a key of type %T: a miss, want an error that tells of the key", call, key)
			}
			if strings.Contains(err.Error(), secret) {
				return fmt.Errorf("%s with a key of type %T: the error shows the key", call, key)
			}
		}
	}
	return nil
}

// errorsShowNoValue provokes what a store may refuse: odd types, more than fits, a context that has ended.
func errorsShowNoValue(e *env) error {
	ended, cancel := context.WithCancel(e)
	cancel()
	large := bytes.Repeat([]byte(secret), 1+max(int(e.bound), 8<<20)/len(secret))
	for what, err := range map[string]error{
		"a struct":                   e.store.Set(e, "a", struct{ Password string }{secret}),
		"a pointer":                  e.store.Set(e, "b", &struct{ Password string }{secret}),
		"a slice of strings":         e.store.Set(e, "c", []string{secret}),
		"nil":                        e.store.Set(e, "d", nil),
		"more than fits":             e.store.Set(e, "e", large),
		"bytes, the context over":    e.store.Set(ended, "f", []byte(secret)),
		"a negative TTL":             e.store.Set(e, "g", []byte(secret), store.WithExpiration(-time.Second)),
		"bytes with an absurd TTL":   e.store.Set(e, "h", []byte(secret), store.WithExpiration(1<<63-1)),
		"bytes with an absurd cost":  e.store.Set(e, "i", []byte(secret), store.WithCost(-1<<63)),
		"a string, the context over": e.store.Set(ended, "j", secret),
	} {
		if err != nil && shows(err.Error(), secret) {
			return fmt.Errorf("error of Set with %s: it shows the value", what)
		}
	}
	return nil
}

// shows also recognises how fmt prints a slice of bytes with %v and %x.
func shows(text, secret string) bool {
	part := secret[:8] // an error may cut it off
	asNumbers := strings.Trim(fmt.Sprint([]byte(part)), "[]")
	for _, form := range []string{part, asNumbers, fmt.Sprintf("%x", part), fmt.Sprintf("%X", part)} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

// cancelledContextEnds: a store may ignore a context that has ended, or refuse; it may not hang, lie or break.
func cancelledContextEnds(e *env) error {
	if err := e.set("a", []byte("before")); err != nil {
		return err
	}
	ended, cancel := context.WithCancel(e)
	cancel()

	done := make(chan error, 1)
	go func() { done <- callsWith(ended, e.store) }()
	patience := time.NewTimer(e.patience)
	defer patience.Stop()
	select {
	case err := <-done:
		if err != nil {
			return err
		}
	case <-patience.C:
		return fmt.Errorf("calls with a cancelled context still run after %s", e.patience)
	}
	return first(
		func() error { return e.set("a", []byte("after")) },
		func() error { return e.expectValue("a", []byte("after")) },
	)
}

func callsWith(ended context.Context, s store.StoreInterface) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	got, errGet := s.Get(ended, "a")
	if errGet == nil {
		if err := sameValue("Get with a cancelled context", got, []byte("before")); err != nil {
			return err
		}
	}
	_, _, errTTL := s.GetWithTTL(ended, "a")
	for call, err := range map[string]error{
		"Get":        errGet,
		"GetWithTTL": errTTL,
		"Set":        s.Set(ended, "b", []byte("value")),
		"Delete":     s.Delete(ended, "b"),
	} {
		if err != nil && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("%s with a cancelled context: error %T, want one that is context.Canceled, or none", call, err)
		}
	}
	return nil
}

// concurrentUse has every key's values begin with the key, so that a value under another key shows, and be of one
// letter, so that a torn one does.
func concurrentUse(e *env) error {
	const workers, rounds, keys = 8, 200, 10
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					errs[w] = fmt.Errorf("panic: %v", p)
				}
			}()
			for i := 0; i < rounds && errs[w] == nil; i++ {
				errs[w] = e.work(w, i, fmt.Sprintf("key-%d:", (w+i/5)%keys)) // all operations on each key
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (e *env) work(worker, round int, key string) error {
	switch round % 5 {
	case 0, 3:
		letter := string(rune('a' + worker))
		return e.set(key, []byte(key+strings.Repeat(letter, 100)), store.WithExpiration(time.Hour))
	case 2:
		if round%4 == 0 {
			return e.delete(key)
		}
	}
	got, err := e.store.Get(e, key)
	if errors.Is(err, store.NotFound{}) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("Get(%s): %w", label(key), err)
	}
	b, ok := got.([]byte)
	body, ours := bytes.CutPrefix(b, []byte(key))
	if !ok || !ours || len(body) != 100 || bytes.Count(body, body[:1]) != 100 {
		return fmt.Errorf("Get(%s): a value that nobody stored under this key", label(key))
	}
	return nil
}

// heldIsBounded counts what can still be read after writing far more than the bound.
func heldIsBounded(e *env) error {
	value := bytes.Repeat([]byte("v"), 64)
	size := int64(len(value) + len(boundKey(0)))
	n := max(e.entries, int(4*e.bound/size))
	for i := range n {
		if err := e.set(boundKey(i), value); err != nil {
			return err
		}
	}
	return e.eventually(func() error {
		var held int64
		for i := range n {
			switch _, err := e.store.Get(e, boundKey(i)); {
			case err == nil:
				held += size
			case !errors.Is(err, store.NotFound{}):
				return fmt.Errorf("Get(%s): %w", boundKey(i), err)
			}
		}
		switch {
		case held > e.bound:
			return fmt.Errorf("%d bytes of keys and values can be read, want at most %d", held, e.bound)
		case held == 0:
			return errors.New("nothing can be read, want up to the bound")
		}
		return nil
	})
}

func boundKey(i int) string { return fmt.Sprintf("entry-%010d", i) }
