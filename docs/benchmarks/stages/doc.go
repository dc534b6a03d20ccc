// Command stages measures what each stage adds to a request that goes well, beside
// the libraries that do the same, and writes a Markdown table.
//
//	go run ./stages                         # about a minute, on an idle machine
//	go run ./stages -results results.md     # the same, into the page
//	go test -run '^$' -bench Serial ./stages  # the benchmarks themselves
//
// All stand over the same stub, which answers at once and calls
// context.WithCancel(req.Context()), as net/http does: a lazy context would hide its
// cost otherwise. The body is read and closed each time.
package main
