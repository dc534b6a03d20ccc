package storetest

import (
	"errors"
	"fmt"

	"github.com/eko/gocache/lib/v4/store"
)

func basicChecks(cfg config) []Check {
	checks := []Check{
		{Name: "get_returns_what_was_set", run: getReturnsWhatWasSet},
		{Name: "set_replaces", run: setReplaces},
		{Name: "a_miss_is_store_NotFound", run: missIsNotFound},
		{Name: "delete_removes", run: deleteRemoves},
		{Name: "delete_of_nothing_is_no_error", run: deleteOfNothing},
		{Name: "type_has_a_name", run: typeHasName},
	}
	if cfg.withoutClr {
		checks = append(checks, Check{Name: "clear_is_refused_and_removes_nothing", run: clearIsRefused})
	} else {
		checks = append(checks, Check{Name: "clear_removes_its_own_entries_only", run: clearRemovesOwn})
	}
	if cfg.tags {
		checks = append(checks,
			Check{Name: "invalidate_removes_what_has_the_tag", run: invalidateByTag},
			Check{Name: "set_replaces_the_tags", run: setReplacesTags},
			Check{Name: "invalidate_without_tags_removes_nothing", run: invalidateWithoutTags},
		)
	}
	return checks
}

func getReturnsWhatWasSet(e *env) error {
	return first(
		func() error { return e.set("a", []byte("first")) },
		func() error { return e.set("b", []byte("second")) },
		func() error { return e.expectValue("a", []byte("first")) },
		func() error { return e.expectValue("b", []byte("second")) },
		func() error { return e.expectValue("a", []byte("first")) }, // reading does not consume
	)
}

func setReplaces(e *env) error {
	return first(
		func() error { return e.set("a", []byte("a long first value")) },
		func() error { return e.set("a", []byte("short")) },
		func() error { return e.expectValue("a", []byte("short")) },
	)
}

func missIsNotFound(e *env) error {
	return first(
		func() error { return e.expectMiss("never set") },
		func() error { return e.set("a", []byte("value")) },
		func() error { return e.expectMiss("never set") },
		func() error { return e.expectMiss("A") },
		func() error { return e.expectMiss("a ") },
	)
}

func deleteRemoves(e *env) error {
	return first(
		func() error { return e.set("a", []byte("first")) },
		func() error { return e.set("b", []byte("second")) },
		func() error { return e.delete("a") },
		func() error { return e.expectMiss("a") },
		func() error { return e.expectValue("b", []byte("second")) },
		func() error { return e.set("a", []byte("again")) },
		func() error { return e.expectValue("a", []byte("again")) },
	)
}

func deleteOfNothing(e *env) error {
	return first(
		func() error { return e.delete("never set") },
		func() error { return e.set("a", []byte("value")) },
		func() error { return e.delete("a") },
		func() error { return e.delete("a") },
	)
}

func typeHasName(e *env) error {
	name := e.store.GetType()
	if name == "" || name != e.store.GetType() {
		return fmt.Errorf("GetType: %q, want a name that stays the same", name)
	}
	return nil
}

func clearRemovesOwn(e *env) error {
	neighbour := *e
	neighbour.store = e.newStore()
	return first(
		func() error { return neighbour.set("a", []byte("the neighbour's")) },
		func() error { return e.set("a", []byte("first")) },
		func() error { return e.set("b", []byte("second")) },
		e.clear,
		func() error { return e.expectMiss("a") },
		func() error { return e.expectMiss("b") },
		func() error {
			if err := neighbour.expectValue("a", []byte("the neighbour's")); err != nil {
				return fmt.Errorf("the neighbour after Clear: %w", err)
			}
			return nil
		},
		func() error { return e.set("a", []byte("again")) },
		func() error { return e.expectValue("a", []byte("again")) },
	)
}

func (e *env) clear() error {
	if err := e.store.Clear(e); err != nil {
		return fmt.Errorf("call of Clear: %w", err)
	}
	return nil
}

func clearIsRefused(e *env) error {
	if err := e.set("a", []byte("value")); err != nil {
		return err
	}
	if err := e.store.Clear(e); !errors.Is(err, store.ErrNotSupported) {
		return fmt.Errorf("call of Clear: error %T, want store.ErrNotSupported", err)
	}
	return e.expectValue("a", []byte("value"))
}

func invalidateByTag(e *env) error {
	return first(
		func() error { return e.set("a", []byte("1"), store.WithTags([]string{"red", "round"})) },
		func() error { return e.set("b", []byte("2"), store.WithTags([]string{"red", "red"})) },
		func() error { return e.set("c", []byte("3"), store.WithTags([]string{"round"})) },
		func() error { return e.set("red", []byte("4")) }, // a key is no tag
		func() error { return e.invalidate("red", "unknown") },
		func() error { return e.expectMiss("a") },
		func() error { return e.expectMiss("b") },
		func() error { return e.expectValue("c", []byte("3")) },
		func() error { return e.expectValue("red", []byte("4")) },
		func() error { return e.set("a", []byte("again")) },
		func() error { return e.invalidate("red", "round") },
		func() error { return e.expectValue("a", []byte("again")) }, // stored without tags this time
		func() error { return e.expectMiss("c") },
	)
}

func setReplacesTags(e *env) error {
	return first(
		func() error { return e.set("a", []byte("1"), store.WithTags([]string{"old"})) },
		func() error { return e.set("a", []byte("2"), store.WithTags([]string{"new"})) },
		func() error { return e.invalidate("old") },
		func() error { return e.expectValue("a", []byte("2")) },
		func() error { return e.invalidate("new") },
		func() error { return e.expectMiss("a") },
	)
}

func invalidateWithoutTags(e *env) error {
	return first(
		func() error { return e.set("a", []byte("1"), store.WithTags([]string{"red"})) },
		func() error { return e.set("b", []byte("2")) },
		func() error { return e.invalidate() },
		func() error { return e.expectValue("a", []byte("1")) },
		func() error { return e.expectValue("b", []byte("2")) },
	)
}

func (e *env) invalidate(tags ...string) error {
	if err := e.store.Invalidate(e, store.WithInvalidateTags(tags)); err != nil {
		return fmt.Errorf("Invalidate(%q): %w", tags, err)
	}
	return nil
}
