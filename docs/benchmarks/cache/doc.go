// Command cache compares Headgate's cache with the other HTTP caches for Go clients, in one run, and writes the tables of
// docs/benchmarks/cache.md.
//
//	go run ./cache                    # half a minute, on an idle machine
//	go run ./cache -results cache.md  # the same, into the page
package main
