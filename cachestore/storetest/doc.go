// Package storetest is the conformance suite for stores: what package httpcache relies on, and what gocache's
// users expect, written as checks that run on any store.StoreInterface. Every store of this module runs it, and
// so can yours:
//
//	func TestConformance(t *testing.T) {
//		storetest.Run(t, func(t testing.TB) store.StoreInterface {
//			return mystore.New(t.TempDir())
//		})
//	}
//
// Run it with -race: the check of concurrent use is worth little without. The factory is called anew for each
// check, and twice in the check that Clear leaves the neighbours alone: where stores share a backend, such as one
// Redis server, it hands out a namespace each.
//
// Options say what a store can do beyond the minimum ([WithTags], [WithBound]), what it does differently on
// purpose ([Immutable], [WithoutClear]), and how time passes in it ([WithFakeTime], [WithShortestTTL]).
//
// A third-party gocache store is checked, as it is used, through cachestore.Adapt.
package storetest
