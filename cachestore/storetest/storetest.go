package storetest

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eko/gocache/lib/v4/store"
)

// Factory makes an empty store. What it needs to clean up goes to t.Cleanup.
type Factory func(t testing.TB) store.StoreInterface

// Run runs every check that the options call for, each as a subtest on a new store.
func Run(t *testing.T, newStore Factory, opts ...Option) {
	t.Helper()
	for _, check := range Checks(opts...) {
		t.Run(check.Name, func(t *testing.T) {
			if err := check.Run(t, newStore); err != nil {
				t.Error(err)
			}
		})
	}
}

// Check is one demand on a store.
type Check struct {
	// Name says what a store does that passes.
	Name string

	run   func(*env) error
	waits bool // for time to pass
	cfg   config
}

// Checks lists the checks that the options call for, in the order in which Run runs them.
func Checks(opts ...Option) []Check {
	cfg := newConfig(opts)
	checks := append(basicChecks(cfg), valueChecks(cfg)...)
	checks = append(checks, timeChecks(cfg)...)
	checks = append(checks, safetyChecks(cfg)...)
	for i := range checks {
		checks[i].cfg = cfg
	}
	return checks
}

// Run runs the check and returns what the store did wrong, or nil. It reports nothing to t, which is for the
// factory. A store that panics has done something wrong.
func (c Check) Run(t *testing.T, newStore Factory) (err error) {
	t.Helper()
	if !c.waits || !c.cfg.fakeTime {
		return c.on(t, newStore)
	}
	synctest.Test(t, func(t *testing.T) { err = c.on(t, newStore) })
	return err
}

func (c Check) on(t *testing.T, newStore Factory) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return c.run(&env{
		Context:  t.Context(),
		config:   c.cfg,
		store:    newStore(t),
		newStore: func() store.StoreInterface { return newStore(t) },
	})
}

// env is what a check works with.
type env struct {
	context.Context
	config
	store    store.StoreInterface
	newStore func() store.StoreInterface
}

// eventually tries until try returns nil, for as long as the patience lasts, and returns its last answer.
func (e *env) eventually(try func() error) error {
	deadline := time.Now().Add(e.patience)
	for {
		err := try()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(max(e.patience/1000, time.Millisecond))
	}
}
