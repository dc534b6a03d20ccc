package llmtest

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Expect is what a client should make of a failure.
type Expect uint8

const (
	// ExpectReply: it is no failure, though it looks odd. The reply arrives whole, with one request.
	ExpectReply Expect = iota
	// ExpectRetry: nothing of a reply has been seen, so that another attempt gets one.
	ExpectRetry
	// ExpectRefusal: no attempt would help. One request, and an error without delay.
	ExpectRefusal
	// ExpectError: the reply has begun. The caller gets an error, or all of a reply; never a part as if it were all.
	ExpectError
)

// String says it in a word or two.
func (e Expect) String() string {
	switch e {
	case ExpectReply:
		return "the reply"
	case ExpectRetry:
		return "another attempt"
	case ExpectRefusal:
		return "an error at once"
	case ExpectError:
		return "an error"
	}
	return "unknown"
}

// Failure is one way in which an LLM API goes wrong.
type Failure struct {
	// Name says what happens: "429, retry-after-ms".
	Name string
	// Turn does it.
	Turn Turn
	// Expect is what should become of it if it happens once and the next request gets its reply.
	Expect Expect
	// Reply is what arrives where Expect is ExpectReply.
	Reply Reply
	// Wait is how long the upstream asks to stay away; 0 if it says nothing. A client that comes back earlier has not
	// read the hint.
	Wait time.Duration

	apis  apis
	modes modes
}

// Happens tells whether the failure exists in a shape, with a JSON body or as a stream.
func (f Failure) Happens(api API, stream bool) bool {
	return f.apis.include(api) && f.modes.include(stream)
}

type apis uint8

const (
	anyAPI apis = iota
	chatOnly
	anthropicOnly
)

func (a apis) include(api API) bool {
	return a == anyAPI || (a == anthropicOnly) == (api == Anthropic)
}

type modes uint8

const (
	bothModes modes = iota
	jsonOnly
	streamOnly
)

func (m modes) include(stream bool) bool {
	return m == bothModes || (m == streamOnly) == stream
}

// tooLong is a wait that nobody should wait for.
const tooLong = time.Hour

// Failures lists every failure that is known. The pace is the pause between two tokens and between two
// keep-alives; a wait that a hint asks for is ten of them, and at least a second where the hint knows no less. A
// request that is slow but healthy takes 60.
//
//	for _, f := range llmtest.Failures(10 * time.Millisecond) {
//		if !f.Happens(llmtest.DeepSeek, true) {
//			continue
//		}
//		t.Run(f.Name, func(t *testing.T) {
//			api := llmtest.New(t, f.Turn, llmtest.Say(llmtest.Words("all is well")))
//			...
//		})
//	}
func Failures(pace time.Duration) []Failure {
	reply := Words("one two three four five six")
	all := busy()
	all = append(all, limits(10*pace)...)
	all = append(all, quotas()...)
	all = append(all, silences(pace, reply)...)
	all = append(all, ends(reply)...)
	return append(all, odd(pace)...)
}

func busy() []Failure {
	var all []Failure
	for _, status := range []int{503, 529, 520, 521, 522, 523, 524, 500, 502, 504} {
		all = append(all, Failure{Name: fmt.Sprint(status), Turn: Busy(status), Expect: ExpectRetry})
	}
	return append(all,
		Failure{Name: "overloaded, in the API's own words", Turn: Overloaded(), Expect: ExpectRetry},
		Failure{Name: "connection reset before headers", Turn: Reset(), Expect: ExpectRetry},
		Failure{Name: "503, slow_down", Turn: SlowDown(), Expect: ExpectRetry, apis: chatOnly},
	)
}

func limits(wait time.Duration) []Failure {
	var all []Failure
	for _, h := range Hints() {
		f := Failure{Name: "429, " + string(h), Turn: RateLimited(h, wait), Expect: ExpectRetry, Wait: h.Says(wait)}
		switch h {
		case OpenAIReset, AzureReset, GroqReset, CerebrasReset, MistralRemaining, RetryInfo:
			f.apis = chatOnly
		case AnthropicReset:
			f.apis = anthropicOnly
		}
		all = append(all, f)
	}
	return append(all,
		Failure{Name: "429, a limit of requests at a time", Turn: ConcurrencyLimited(4), Expect: ExpectRetry, apis: chatOnly},
		Failure{Name: "429, Retry-After of an hour", Turn: RateLimited(RetryAfterSeconds, tooLong), Expect: ExpectRefusal},
	)
}

func quotas() []Failure {
	return []Failure{
		{Name: "402, balance used up", Turn: Unpaid(), Expect: ExpectRefusal},
		{Name: "429, insufficient_quota", Turn: InsufficientQuota(), Expect: ExpectRefusal, apis: chatOnly},
		{Name: "429, enforced_spend_limit_reached", Turn: SpendLimit(), Expect: ExpectRefusal, apis: anthropicOnly},
		{Name: "429, quota per day", Turn: DailyQuota(), Expect: ExpectRefusal, apis: chatOnly},
		{Name: "400", Turn: Error(http.StatusBadRequest, "invalid_request_error", "", "The request is wrong."), Expect: ExpectRefusal},
		{Name: "401", Turn: Error(http.StatusUnauthorized, "authentication_error", "", "The key is wrong."), Expect: ExpectRefusal},
		{Name: "422", Turn: Error(http.StatusUnprocessableEntity, "invalid_request_error", "", "A parameter is wrong."), Expect: ExpectRefusal},
	}
}

func silences(pace time.Duration, reply Reply) []Failure {
	return []Failure{
		{Name: "hang before headers", Turn: Hang(), Expect: ExpectRetry},
		{Name: "hang before the first token", Turn: HangAfter(0, reply), Expect: ExpectRetry},
		{Name: "hang in the middle", Turn: HangAfter(3, reply), Expect: ExpectError},
		{Name: "keep-alives for ever", Turn: Waiting(-1, pace, Hang()), Expect: ExpectRetry},
		{Name: "keep-alives, then an error", Turn: Waiting(20, pace, ErrorAfter(0, reply)), Expect: ExpectRetry},
	}
}

func ends(reply Reply) []Failure {
	return []Failure{
		{Name: "error event before the first token", Turn: ErrorAfter(0, reply), Expect: ExpectRetry, modes: streamOnly},
		{Name: "error event in the middle", Turn: ErrorAfter(3, reply), Expect: ExpectError, modes: streamOnly},
		{Name: "cut before the first token", Turn: CutAfter(0, reply), Expect: ExpectRetry},
		{Name: "cut in the middle", Turn: CutAfter(3, reply), Expect: ExpectError},
		{Name: "clean end before the first token", Turn: EndAfter(0, reply), Expect: ExpectRetry, modes: streamOnly},
		{Name: "clean end in the middle", Turn: EndAfter(3, reply), Expect: ExpectError},
		{Name: "200 with an error as JSON", Turn: Disguised(), Expect: ExpectRetry},
		{Name: "200, empty", Turn: Empty(), Expect: ExpectRetry},
		{Name: "200, keep-alives and nothing else", Turn: Blank(3), Expect: ExpectRetry},
	}
}

func odd(pace time.Duration) []Failure {
	slow := Words(strings.TrimSpace(strings.Repeat("one word after the other ", 12)))
	slow.Gap = pace
	reply := Words("six words after a long wait")
	thinking := Reply{Reasoning: slow.Text[:30], Text: slow.Text[30:], Gap: pace}
	all := []Failure{
		{Name: "20 keep-alives, then the reply", Turn: Waiting(20, pace, Say(reply)), Reply: reply},
		{Name: "200 keep-alives, then the reply", Turn: Waiting(200, 0, Say(reply)), Reply: reply},
		{Name: "1000 keep-alives, then the reply", Turn: Waiting(1000, 0, Say(reply)), Reply: reply},
		{Name: "a slow stream", Turn: Say(slow), Reply: slow, modes: streamOnly},
		{Name: "reasoning first, slowly", Turn: Say(thinking), Reply: thinking, modes: streamOnly},
		{Name: "finish_reason without [DONE]", Turn: WithoutDone(reply), Reply: reply, modes: streamOnly, apis: chatOnly},
	}
	for i := range all {
		all[i].Expect = ExpectReply
	}
	return all
}
