package storetest

import (
	"fmt"
	"time"

	"github.com/eko/gocache/lib/v4/store"
)

func timeChecks(cfg config) []Check {
	checks := []Check{
		{Name: "ttl_is_told", run: ttlIsTold, waits: true},
		{Name: "expired_is_a_miss", run: expiredIsMiss, waits: true},
		{Name: "set_replaces_the_ttl", run: setReplacesTTL, waits: true},
		{Name: "a_negative_ttl_has_ended", run: negativeTTLHasEnded, waits: true},
	}
	if cfg.fakeTime {
		checks = append(checks, Check{Name: "expires_at_the_instant", run: expiresAtInstant, waits: true})
	}
	return checks
}

func ttlIsTold(e *env) error {
	if err := e.set("hour", []byte("1"), store.WithExpiration(time.Hour)); err != nil {
		return err
	}
	if err := e.set("endless", []byte("2")); err != nil {
		return err
	}
	_, ttl, err := e.store.GetWithTTL(e, "hour")
	if err != nil {
		return fmt.Errorf("GetWithTTL: %w", err)
	}
	if low := time.Hour - e.patience - e.shortestTTL; ttl < low || ttl > time.Hour {
		return fmt.Errorf("GetWithTTL: %s right after Set for an hour, want %s to 1h", ttl, low)
	}
	_, ttl, err = e.store.GetWithTTL(e, "endless")
	if err != nil {
		return fmt.Errorf("GetWithTTL: %w", err)
	}
	if ttl != 0 {
		return fmt.Errorf("GetWithTTL: %s for an entry without an end, want 0", ttl)
	}
	return nil
}

// expiredIsMiss does not look at what is short before its end, which a busy machine could miss.
func expiredIsMiss(e *env) error {
	if err := e.set("short", []byte("1"), store.WithExpiration(e.shortestTTL)); err != nil {
		return err
	}
	if err := e.set("long", []byte("2"), store.WithExpiration(time.Hour)); err != nil {
		return err
	}
	if err := e.set("endless", []byte("3")); err != nil {
		return err
	}
	time.Sleep(e.shortestTTL)
	if err := e.eventually(func() error { return e.expectMiss("short") }); err != nil {
		return fmt.Errorf("after its TTL of %s: %w", e.shortestTTL, err)
	}
	if err := e.expectValue("long", []byte("2")); err != nil {
		return err
	}
	return e.expectValue("endless", []byte("3"))
}

func setReplacesTTL(e *env) error {
	short := store.WithExpiration(e.shortestTTL)
	return first(
		func() error { return e.set("to endless", []byte("1"), short) },
		func() error { return e.set("to endless", []byte("2")) },
		func() error { return e.set("to short", []byte("3")) },
		func() error { return e.set("to short", []byte("4"), short) },
		func() error {
			time.Sleep(e.shortestTTL)
			return e.eventually(func() error { return e.expectMiss("to short") })
		},
		func() error { return e.expectValue("to endless", []byte("2")) },
	)
}

// negativeTTLHasEnded: what was computed to be over must not stay for ever, as it does in stores to which a
// negative number is a flag.
func negativeTTLHasEnded(e *env) error {
	for _, ttl := range []time.Duration{-1, -time.Second, -time.Hour} {
		if err := e.set("a", []byte("before")); err != nil {
			return err
		}
		// Refusing is as good as storing nothing, as long as nothing can be read.
		_ = e.store.Set(e, "new", []byte("value"), store.WithExpiration(ttl))
		if err := e.eventually(func() error { return e.expectMiss("new") }); err != nil {
			return fmt.Errorf("after Set with a TTL of %s: %w", ttl, err)
		}
		if err := e.store.Set(e, "a", []byte("value"), store.WithExpiration(ttl)); err != nil {
			continue // refused: what was there may stay
		}
		if err := e.eventually(func() error { return e.expectMiss("a") }); err != nil {
			return fmt.Errorf("after Set with a TTL of %s over another value: %w", ttl, err)
		}
	}
	return nil
}

func expiresAtInstant(e *env) error {
	const ttl = 10 * time.Second
	return first(
		func() error { return e.set("a", []byte("value"), store.WithExpiration(ttl)) },
		func() error { time.Sleep(ttl - 1); return e.expectValue("a", []byte("value")) },
		func() error { time.Sleep(time.Nanosecond); return e.expectMiss("a") },
	)
}
