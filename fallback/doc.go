// Package fallback is the last resort: when a call has failed in spite of all
// the stages below, it answers in the upstream's place.
//
// The stage stands outermost. It acts on what the call meant in the end: a
// missing quota, a pushback, a busy upstream, a failure, or the refusal of a
// stage (see Reason). It never acts on an answer that says that the request is
// wrong, which would hide a bug, nor when the caller has given up. When the
// caller's deadline has passed, only answers that need no time are tried.
//
// The answers stand in order in the configuration; the next one is tried if one
// fails. If none can be given, the original response, still readable, or the
// original error goes back, as if the stage were not there. Without answers,
// which is the default, it does nothing at all.
//
// Every answer says what it is, in the response header Headgate-Fallback:
//
//	Headgate-Fallback: static; reason=busy
//
// It has the form of a structured field (RFC 9651): the answer's name, and why
// it was needed. An answer that says nothing of caching gets Cache-Control:
// no-store, so that no cache keeps it in place of the real one.
//
// An Upstream is another API of the same kind: it gets the request with its own
// URL, model and credential, through the stages below. A primary that asked to
// stay away is not asked meanwhile.
//
// A further kind of answer is a Go value that implements Answer, most simply a
// Func, which is given to the stage by name and ordered by configuration.
package fallback
