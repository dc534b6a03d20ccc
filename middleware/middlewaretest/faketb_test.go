package middlewaretest

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// fakeTB is a testing.TB that a check may fail without failing the test around it.
type fakeTB struct {
	testing.TB // for what needs no faking

	mu       sync.Mutex
	messages []string
	failed   bool
	cleanups []func()
}

// runFake runs f as a test of its own, cleanups included, and returns whether it failed and what it said.
func runFake(t *testing.T, f func(tb testing.TB)) (failed bool, said string) {
	tb := &fakeTB{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer tb.cleanup()
		f(tb)
	}()
	<-done
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return tb.failed, strings.Join(tb.messages, "\n")
}

// cleanup runs what was registered, the last first; FailNow in one of them ends only that one.
func (f *fakeTB) cleanup() {
	for {
		f.mu.Lock()
		n := len(f.cleanups)
		if n == 0 {
			f.mu.Unlock()
			return
		}
		last := f.cleanups[n-1]
		f.cleanups = f.cleanups[:n-1]
		f.mu.Unlock()
		last()
	}
}

func (f *fakeTB) fail(message string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = true
	f.messages = append(f.messages, message)
}

func (f *fakeTB) Cleanup(c func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cleanups = append(f.cleanups, c)
}

func (f *fakeTB) Failed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

func (f *fakeTB) Helper()                      {}
func (f *fakeTB) Error(args ...any)            { f.fail(fmt.Sprint(args...)) }
func (f *fakeTB) Errorf(s string, args ...any) { f.fail(fmt.Sprintf(s, args...)) }
func (f *fakeTB) FailNow()                     { f.fail("FailNow"); runtime.Goexit() }
func (f *fakeTB) Fatal(args ...any)            { f.Error(args...); runtime.Goexit() }
func (f *fakeTB) Fatalf(s string, args ...any) { f.Errorf(s, args...); runtime.Goexit() }
