package main

import (
	"strings"
	"time"

	t "github.com/headgate-go/headgate/middleware/middlewaretest/llmtest"
)

// scene is a question, and what the API does with it.
type scene struct {
	title, question string
	turns           []t.Turn
}

// reply streams at the pace of a model.
func reply(text string) t.Reply {
	r := t.Words(text)
	r.Gap = 30 * time.Millisecond
	return r
}

const (
	retries  = "A retry asks again after a failure that passes, waits longer each time, and gives up in the end."
	breakers = "A circuit breaker stops asking an API that fails, and lets one request try now and then."
	streams  = "A stream is complete when its last event says so, not when the connection ends."
	limits   = "A rate limit counts requests in a time, a semaphore those that are on their way."
	queues   = "A queue that is longer than the caller's patience does work for nobody."
)

func scenes() []scene {
	return []scene{
		{
			"The API is busy twice", "What is a retry?",
			[]t.Turn{t.Busy(503), t.Overloaded(), t.Say(reply(retries))},
		},
		{
			"The API asks for half a second", "What is a rate limit?",
			[]t.Turn{t.RateLimited(t.RetryAfterMS, 500*time.Millisecond), t.Say(reply(limits))},
		},
		{
			"The connection hangs", "What is a circuit breaker?",
			[]t.Turn{t.Hang(), t.Say(reply(breakers))},
		},
		{
			"The API is overloaded, and says so in a 200", "What is a queue?",
			[]t.Turn{t.Disguised(), t.Say(reply(queues))},
		},
		{
			"The stream ends in the middle, in good order", "When is a stream complete?",
			[]t.Turn{t.EndAfter(6, reply(streams)), t.Say(reply(streams))},
		},
		{
			"The request waits for its turn", "And a slow one?",
			[]t.Turn{t.Waiting(15, 100*time.Millisecond, t.Say(reply("It is healthy as long as something arrives.")))},
		},
	}
}

// whole is the text of the last turn's reply, as far as the scenes tell.
func whole(text string) bool { return strings.HasSuffix(text, ".") }
