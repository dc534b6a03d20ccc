// Package llm is the stage that knows the APIs of language models. It stands
// next to the wire and gives the stages above, and the SDK above them, an
// upstream that says what it means.
//
//   - It decides the Outcome of errors by status, header and body: a quota that
//     is used up is no pushback, an overload is no wrong request, and a hint when
//     to come back is found wherever it stands.
//   - A success that is none gets its real status: an error in a 200, as JSON or
//     as the first event of a stream, and an answer that is empty.
//   - Keep-alives are left out: comments in a stream, blank lines in front of a
//     JSON body. All else is passed on as it is, byte by byte.
//   - A response is held until its first content, because an error until then can
//     still be retried. Reasoning and calls of tools are content.
//   - An answer that ends in the middle fails with io.ErrUnexpectedEOF, and an
//     error in the middle of a stream with an error of Read: never a silent end.
//   - Progress is content, for timeouts; usage goes to whoever asked for it
//     (middleware.UsageWatcher), and the estimate before the request to whoever
//     asks (middleware.Inspector).
//
// A provider is a Profile, which is data: formats, codes, header fields. Bodies
// that can't be read, because they are compressed (and not by net/http itself)
// or of another type, are passed on as they are; the status alone counts then.
//
// Place it innermost, inside retry, circuit_breaker, rate_limit, semaphore and
// the timeouts, so that all of them see what an answer really was.
package llm
