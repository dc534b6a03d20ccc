// Package middlewaretest has what tests of a pipeline need: a scripted upstream, and the suite that every stage
// of Headgate passes. Both are for applications and stages of one's own too. It uses nothing but the standard
// library, goleak and the package middleware.
//
// # The upstream
//
// An [Upstream] is a real HTTP server on loopback, with HTTP/1.1 or HTTP/2, with TLS or without. A [Script]
// chooses the [Answer] to each request: statuses, headers, delays, streams, trailers, 1xx and 101, and every way
// in which an answer goes wrong, see [Fault]. A [Config] gives it a capacity in slots, a service time and an
// accept queue, so that it can be overloaded; [Busy] is the one of the overload experiment. It counts what it
// saw ([Upstream.Stats], [Upstream.Requests]) and lets a test wait for it without sleeping ([Upstream.Await]).
//
//	func TestClientComesBack(t *testing.T) {
//		busy := middlewaretest.Text(503, "server busy").With("Retry-After", "1")
//		up := middlewaretest.New(t, middlewaretest.Sequence(busy, middlewaretest.Text(200, "hello")))
//		client := newClient(up.URL) // the application's own
//		if got, err := client.Hello(); err != nil || got != "hello" {
//			t.Errorf("got %q, %v", got, err)
//		}
//		if n := up.Stats().Requests; n != 2 {
//			t.Errorf("%d requests, want 2", n)
//		}
//	}
//
// [New] is for tests, [Start] for programs: an example or a demonstration that has to run offline.
//
// # The suite
//
// [Run] runs the checks on a stage, each with a fresh one:
//
//	func TestContract(t *testing.T) {
//		middlewaretest.Run(t, func(tb testing.TB) middleware.Middleware {
//			stage, err := mystage.New(mystage.DefaultConfig())
//			if err != nil {
//				tb.Fatal(err)
//			}
//			return stage.Wrap
//		})
//	}
//
// What a check asks for is said above its function, and [Checks] lists their names. They come from the contract
// of http.RoundTripper, from what HTTP has beyond GET and 200, and from what stages get wrong: a context that is
// cancelled before the body is read, a permit lost in a panic, a response that is read into memory before its
// caller sees a byte. A stage that breaks one by design says so through [Without].
//
// # Benchmarks
//
// [Benchmark] measures rows of round trippers with one caller and with 64, over [Instant], a base that costs as
// little as one can. With [Settling] and [Attempting] in the rows, what one has more than the other is the stage's.
package middlewaretest
