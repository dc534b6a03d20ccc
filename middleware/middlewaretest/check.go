package middlewaretest

import (
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware"
)

// rounds is how often a check repeats what could lose a slot.
const rounds = 64

// check is one thing that a stage must do, or must not.
type check struct {
	name     string
	run      func(tb testing.TB, e *env)
	http1    bool // HTTP/1.1 only, because HTTP/2 has no such thing or it does not matter
	refusing bool // for Refuses only
}

// checks lists all checks. Each stands in the file of its subject.
func checks() []check {
	return []check{
		{name: "request_unmodified", run: requestUnmodified},
		{name: "request_arrives", run: requestArrives},
		{name: "request_bodies", run: requestBodies},
		{name: "request_body_closed", run: requestBodyClosed},
		{name: "request_streams", run: requestStreams},
		{name: "request_trailer", run: requestTrailer},
		{name: "request_reusable", run: requestReusable},
		{name: "response_xor_error", run: responseXorError},
		{name: "response_body_not_nil", run: responseBodyNotNil},
		{name: "response_request", run: responseRequest},
		{name: "response_bodies", run: responseBodies},
		{name: "response_streams", run: responseStreams},
		{name: "response_trailer", run: responseTrailer},
		{name: "response_cut", run: responseCut},
		{name: "response_close_twice", run: responseCloseTwice},
		{name: "context_until_body_end", run: contextUntilBodyEnd},
		{name: "upgrade", run: upgrade, http1: true},
		{name: "informational", run: informational},
		{name: "expect_continue", run: expectContinue},
		{name: "head", run: head},
		{name: "no_content", run: noContent},
		{name: "not_modified", run: notModified},
		{name: "close_idle_connections", run: closeIdleConnections},
		{name: "panic", run: panics, http1: true},
		{name: "cancel", run: cancel},
		{name: "deadline", run: deadline},
		{name: "abandoned_body", run: abandonedBody},
		{name: "error_unwraps", run: errorUnwraps, http1: true},
		{name: "error_without_secrets", run: errorWithoutSecrets, http1: true},
		{name: "refusal", run: refusal, http1: true, refusing: true},
		{name: "concurrent", run: concurrent},
		{name: nothingLeft, run: leavesNothing},
	}
}

// nothingLeft is looked for after every check, not only after its own.
const nothingLeft = "nothing_left"

// variant is a way in which a check is run.
type variant struct {
	http2 bool // over TLS
	chain bool // in a middleware.Chain
}

func (v variant) String() string {
	name := "http1"
	if v.http2 {
		name = "http2"
	}
	if v.chain {
		name += "_chain"
	}
	return name
}

// variants are what tells stages apart: an exchange of its own or the chain's, and the two protocols under the chain.
func (c check) variants() []variant {
	if c.http1 {
		return []variant{{}, {chain: true}}
	}
	return []variant{{}, {chain: true}, {http2: true, chain: true}}
}

// env is what a check is run with.
type env struct {
	variant
	settings
	factory  func(testing.TB) middleware.Middleware
	patience time.Duration
}

// verify runs the check, and sees that its goroutines end once everything that it started is closed.
func (c check) verify(tb testing.TB, e *env) {
	tb.Helper()
	before := goleak.IgnoreCurrent()
	// Registered first, so that it runs last.
	tb.Cleanup(func() {
		if _, skip := e.without[nothingLeft]; !skip && !tb.Failed() {
			e.noGoroutines(tb, before)
		}
	})
	c.run(tb, e)
}

func (e *env) noGoroutines(tb testing.TB, before goleak.Option) {
	until := time.Now().Add(e.patience)
	for {
		err := goleak.Find(before) // waits for half a second itself
		if err == nil {
			return
		}
		if time.Now().After(until) {
			tb.Errorf("goroutines are left: %v", err)
			return
		}
	}
}

// answer gives an answer the headers that all answers have.
func (e *env) answer(a Answer) Answer {
	h := e.header.Clone()
	for key, values := range a.Header {
		h[http.CanonicalHeaderKey(key)] = values
	}
	a.Header = h
	return a
}
