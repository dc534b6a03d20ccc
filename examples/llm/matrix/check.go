package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/headgate-go/headgate/middleware/middlewaretest/llmtest"
)

// attempts is how many requests one call may cost the upstream: max_attempts of http.yaml.
const attempts = 3

// budget is that, and one request for each time that the SDK repeats the call by
// itself. It does so after an error: an error, unlike a response, cannot tell it
// to leave it at that.
func (c cell) budget() int { return attempts + c.sdk.Repeats }

// longest is how long a call may take: timeout/total of http.yaml with room for
// a machine that is busy, and timeout/attempt for each time that the SDK repeats
// it, after at most a second.
func (c cell) longest() time.Duration {
	return 5*time.Second + time.Duration(c.sdk.Repeats)*2*time.Second
}

// problems are what must not be, with Headgate.
func (r result) problems() []string {
	var p []string
	bad := func(format string, args ...any) { p = append(p, fmt.Sprintf(format, args...)) }
	if r.outcome == silent {
		bad("no error, though the reply is not whole")
	}
	if r.outcome == hung || r.took > r.longest() {
		bad("the caller waited %v, beyond the limit", r.took.Round(time.Millisecond))
	}
	if r.attempts > r.budget() {
		bad("%d requests upstream, the budget is %d", r.attempts, r.budget())
	}
	if r.early {
		bad("came back before the upstream had asked for")
	}
	switch expect := r.failure.Expect; {
	case expect == llmtest.ExpectReply && (r.outcome != ok || r.attempts != 1):
		bad("it is no failure: want the reply, with one request")
	case expect == llmtest.ExpectRefusal && (r.outcome != failed || r.attempts != 1):
		bad("want an error after one request: no attempt would help")
	case expect == llmtest.ExpectRetry && !r.always && r.outcome != ok:
		bad("the second request would have got the reply")
	case r.always && r.outcome == ok:
		bad("a reply out of nothing")
	}
	return p
}

// String names the cell.
func (c cell) String() string {
	parts := []string{c.failure.Name, c.sdk.Name, c.mode()}
	if c.always {
		parts = append(parts, "always")
	}
	return strings.Join(parts, "/")
}

func (c cell) mode() string {
	if c.stream {
		return "stream"
	}
	return "JSON"
}
