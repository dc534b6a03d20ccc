package storetest_test

import (
	"testing"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/cachestore/storetest"
)

// As a test of a store of one's own:
//
//	func TestConformance(t *testing.T) { ... }
func ExampleRun() {
	testConformance := func(t *testing.T) {
		storetest.Run(t,
			func(t testing.TB) store.StoreInterface { return newMapStore() },
			storetest.WithTags(),     // Invalidate works
			storetest.WithFakeTime(), // it does no I/O, so that time can be made to pass
		)
	}
	_ = testConformance
	// Output:
}
