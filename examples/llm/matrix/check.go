package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/headgate-go/headgate/middleware/middlewaretest/llmtest"
)

// budget is how many requests one call may cost the upstream: max_attempts of http.yaml.
const budget = 3

// longest is how long a call may take: timeout/total of http.yaml, with room for
// a machine that is busy, and for the anthropic SDK, which repeats a JSON reply
// that broke off in the middle, with waits of its own.
const longest = 5 * time.Second

// problems are what must not be, with Headgate.
func (r result) problems() []string {
	var p []string
	bad := func(format string, args ...any) { p = append(p, fmt.Sprintf(format, args...)) }
	if r.outcome == silent {
		bad("no error, though the reply is not whole")
	}
	if r.outcome == hung || r.took > longest {
		bad("the caller waited %v, beyond the limit", r.took.Round(time.Millisecond))
	}
	if r.attempts > budget {
		bad("%d requests upstream, the budget is %d", r.attempts, budget)
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
