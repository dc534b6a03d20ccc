package llm

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// every is a dialect of all.
func every(t testing.TB) *dialect {
	t.Helper()
	d, ok := newDialect(chatDialect(), responsesDialect(), messagesDialect(), geminiDialect())
	require.True(t, ok)
	return d
}

// summary is what a reading came to, for comparisons.
type summary struct {
	out      string
	deltas   int
	done     bool
	progress bool
	fault    fault
	told     report
	tokens   tokens
}

// readAll feeds s in pieces of the given sizes, again and again.
func readAll(f format, s string, sizes ...int) summary {
	var out bytes.Buffer
	for i := 0; len(s) > 0 && f.read().fault == faultless; i++ {
		n := len(s)
		if len(sizes) > 0 {
			n = min(n, sizes[i%len(sizes)])
		}
		p := []byte(s[:n])
		out.Write(p[:f.feed(p)])
		s = s[n:]
	}
	f.end()
	r := f.read()
	return summary{out.String(), r.deltas, r.done, r.progress, r.fault, r.told, r.doc.facts.tokens}
}

const (
	roleChunk   = `data: {"id":"1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n"
	helloChunk  = `data: {"id":"1","choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}` + "\n\n"
	thinkChunk  = `data: {"id":"1","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"Hm"},"finish_reason":null}]}` + "\n\n"
	toolChunk   = `data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]}}]}` + "\n\n"
	stopChunk   = `data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	usageChunk  = `data: {"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":7,"prompt_cache_hit_tokens":64}}` + "\n\n"
	doneChunk   = "data: [DONE]\n\n"
	keepAlive   = ": keep-alive\n\n"
	errorChunk  = `data: {"error":{"message":"Server overloaded","type":"server_error","code":"overloaded"}}` + "\n\n"
	claudeStart = "event: message_start\ndata: " + `{"type":"message_start","message":{"id":"m","content":[],"usage":{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":1}}}` + "\n\n"
	claudeBlock = "event: content_block_start\ndata: " + `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n"
	claudePing  = "event: ping\ndata: {\"type\": \"ping\"}\n\n"
	claudeDelta = "event: content_block_delta\ndata: " + `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}` + "\n\n"
	claudeEmpty = "event: content_block_delta\ndata: " + `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}` + "\n\n"
	claudeUsage = "event: message_delta\ndata: " + `{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":9}}` + "\n\n"
	claudeStop  = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
	claudeError = "event: error\ndata: " + `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}` + "\n\n"
	respCreated = "event: response.created\ndata: " + `{"type":"response.created","response":{"id":"r","error":null,"instructions":"be kind","output":[],"text":{"format":{"type":"text"}}}}` + "\n\n"
	respDelta   = "event: response.output_text.delta\ndata: " + `{"type":"response.output_text.delta","delta":"Hi"}` + "\n\n"
	respFailed  = "event: response.failed\ndata: " + `{"type":"response.failed","response":{"error":{"code":"server_error","message":"x"}}}` + "\n\n"
	respDone    = "event: response.completed\ndata: " + `{"type":"response.completed","response":{"usage":{"input_tokens":3,"output_tokens":4,"input_tokens_details":{"cached_tokens":2}}}}` + "\n\n"
	geminiPart  = `data: {"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"}}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":1}}` + "\r\n\r\n"
	geminiStop  = `data: {"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":2,"thoughtsTokenCount":30}}` + "\r\n\r\n"
)

func TestWhatTheEventsOfEachProviderMean(t *testing.T) {
	for _, c := range []struct {
		name string
		in   string
		want summary // without out, where nothing is left out
	}{
		{"a chat", roleChunk + helloChunk + stopChunk + usageChunk + doneChunk,
			summary{deltas: 1, done: true, progress: true, tokens: tokens{input: 100, output: 7, cached: 64}}},
		{"a finish reason alone is complete", helloChunk + stopChunk, summary{deltas: 1, done: true, progress: true}},
		{"[DONE] alone is complete", helloChunk + doneChunk, summary{deltas: 1, done: true, progress: true}},
		{"[DONE] without a line's end", helloChunk + "data: [DONE]", summary{deltas: 1, done: true, progress: true}},
		{"reasoning is content", thinkChunk + doneChunk, summary{deltas: 1, done: true, progress: true}},
		{"a call of a tool is content", toolChunk + doneChunk, summary{deltas: 1, done: true, progress: true}},
		{"a role is not content", roleChunk + doneChunk, summary{done: true}},
		{"a stream that just ends is cut", roleChunk + helloChunk, summary{deltas: 1, progress: true, fault: faultCut}},
		{"a stream that ends in an event is cut", helloChunk + `data: {"choices":[{"delta":{"cont`, summary{deltas: 1, progress: true, fault: faultCut}},
		{"an error in the stream", helloChunk + errorChunk, summary{deltas: 1, progress: true, fault: faultError,
			told: report{code: "overloaded", kind: "server_error", message: "Server overloaded"}}},
		{"a finish reason that is an error", `data: {"error":{"code":502,"message":"x"},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}` + "\n\n",
			summary{fault: faultError, told: report{code: "502", message: "x"}}},
		{"an error that is null is none", `data: {"error":null,"choices":[{"delta":{"content":"a"}}]}` + "\n\n" + doneChunk, summary{deltas: 1, done: true, progress: true}},
		{"text about errors is content", `data: {"choices":[{"delta":{"content":"{\"error\":{\"code\":1}}"}}]}` + "\n\n" + doneChunk, summary{deltas: 1, done: true, progress: true}},
		{"Anthropic", claudeStart + claudeBlock + claudePing + claudeDelta + claudeUsage + claudeStop,
			summary{deltas: 1, done: true, progress: true, tokens: tokens{input: 10, output: 9, cacheRead: 5}}},
		{"Anthropic's beginning has no content", claudeStart + claudeBlock + claudePing + claudeEmpty,
			summary{fault: faultCut, tokens: tokens{input: 10, output: 1, cacheRead: 5}}},
		{"Anthropic's error", claudeStart + claudeError, summary{fault: faultError, tokens: tokens{input: 10, output: 1, cacheRead: 5},
			told: report{kind: "overloaded_error", message: "Overloaded"}}},
		{"responses", respCreated + respDelta + respDone, summary{deltas: 1, done: true, progress: true, tokens: tokens{input: 3, output: 4, cached: 2}}},
		{"responses that failed", respCreated + respFailed, summary{fault: faultError, told: report{code: "server_error", kind: "response.failed", message: "x"}}},
		{"Gemini", geminiPart + geminiStop, summary{deltas: 1, done: true, progress: true, tokens: tokens{input: 4, output: 2, more: 30}}},
		{"Gemini, cut", geminiPart, summary{deltas: 1, progress: true, fault: faultCut, tokens: tokens{input: 4, output: 1}}},
		{"an API that nobody knows", "data: tick\n\ndata: tock\n\n", summary{deltas: 2, progress: true}},
		{"the same in JSON", "data: {\"tick\":1}\n\n", summary{deltas: 1, progress: true}},
		{"an event in several lines", "data: {\"choices\":[{\ndata: \"delta\":{\"content\":\"a\"}}]}\n\n" + doneChunk, summary{deltas: 1, done: true, progress: true}},
		{"a ping without a type in its data", "event: ping\ndata: {}\n\n" + helloChunk + doneChunk, summary{deltas: 1, done: true, progress: true}},
		{"a byte order mark", "\xef\xbb\xbf" + helloChunk + doneChunk, summary{deltas: 1, done: true, progress: true}},
		{"lines that end with CR", strings.ReplaceAll(helloChunk+doneChunk, "\n", "\r"), summary{deltas: 1, done: true, progress: true}},
		{"without spaces", strings.ReplaceAll(helloChunk+doneChunk, "data: ", "data:"), summary{deltas: 1, done: true, progress: true}},
		{"other fields", "id: 7\nretry: 100\n" + helloChunk + doneChunk, summary{deltas: 1, done: true, progress: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.out = c.in
			require.Equal(t, c.want, readAll(newEvents(every(t), true), c.in))
		})
	}
}

func TestKeepAlivesAreLeftOut(t *testing.T) {
	for name, c := range map[string]struct{ in, out string }{
		"comments before, between and after": {keepAlive + keepAlive + helloChunk + keepAlive + doneChunk + keepAlive, helloChunk + doneChunk},
		"blank lines":                        {"\n\n" + helloChunk + "\n\n\n" + doneChunk, helloChunk + doneChunk},
		"a comment within an event":          {"event: a\n: hm\ndata: b\n\n", "event: a\ndata: b\n\n"},
		"with CR LF":                         {": a\r\n\r\ndata: b\r\n: c\r\n\r\n\r\n", "data: b\r\n\r\n"},
		"with CR":                            {": a\r\rdata: b\r: c\r\r\r", "data: b\r\r"},
		"a comment without an end":           {"data: b\n\n: ke", "data: b\n\n"},
		"OpenRouter's":                       {": OPENROUTER PROCESSING\n\n" + helloChunk, helloChunk},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.out, readAll(newEvents(every(t), true), c.in).out)
		})
	}
}

func TestAStreamOfKeepAlivesAloneIsEmpty(t *testing.T) {
	for _, in := range []string{"", keepAlive, "\n\n\n", keepAlive + keepAlive + ": x"} {
		got := readAll(newEvents(every(t), true), in)
		require.Equal(t, faultEmpty, got.fault, "%q", in)
		require.Empty(t, got.out)
		require.Equal(t, faultless, readAll(newEvents(every(t), false), in).fault, "where no answer has to come")
	}
}

func TestNothingIsPassedOnAfterAnError(t *testing.T) {
	require.Equal(t, helloChunk+errorChunk, readAll(newEvents(every(t), true), helloChunk+errorChunk+helloChunk).out)
}

// Any chunking of the bytes gives the same result.
func TestPiecesOfAnySizeGiveTheSame(t *testing.T) {
	parts := []string{
		roleChunk, helloChunk, thinkChunk, toolChunk, stopChunk, usageChunk, doneChunk, keepAlive, errorChunk, claudeStart, claudeBlock, claudePing,
		claudeDelta, claudeUsage, claudeStop, respCreated, respDelta, respDone, geminiPart, geminiStop,
		"\n", "\r", "\r\n", ": ", "data", "data:", "data: [DONE]", "event: error", "\xef\xbb\xbf", "\xef\xbb", `{"error":`, `"`, `\`, "[", "}",
		`data: {"` + strings.Repeat("k", 70) + `":"v","error":{"code":` + strings.Repeat("9", 70) + `}}` + "\n",
	}
	hello := func(text string) string { return strings.Replace(helloChunk, "Hello", text, 1) }
	parts = append(parts, hello(""), hello("a"), hello(`\"`), hello(`\\`), hello(`"},"x":{"y":"`), hello(`\u00e9`), hello(strings.Repeat("long ", 700)),
		strings.ReplaceAll(hello("b"), "\n", "\r\n"), strings.Replace(claudeDelta, "Hi", "there", 1), strings.Replace(geminiPart, "Hi", "there", 1),
		"event: ping\n"+helloChunk, "event: response.failed\n"+helloChunk, strings.TrimSuffix(helloChunk, "\n")+"data: {\"error\":1}\n\n")
	d := every(t)
	rapid.Check(t, func(t *rapid.T) {
		in := strings.Join(rapid.SliceOf(rapid.SampledFrom(parts)).Draw(t, "parts"), "")
		sizes := rapid.SliceOfN(rapid.IntRange(1, 40), 1, 8).Draw(t, "sizes")
		if whole, pieces := readAll(newEvents(d, true), in), readAll(newEvents(d, true), in, sizes...); whole != pieces {
			t.Fatalf("%q\nas a whole %+v\nin pieces %+v", in, whole, pieces)
		}
		whole, pieces := readAll(newDocument(d.paths, true), in), readAll(newDocument(d.paths, true), in, sizes...)
		if whole != pieces {
			t.Fatalf("as JSON %q\nas a whole %+v\nin pieces %+v", in, whole, pieces)
		}
	})
}

func FuzzEvents(f *testing.F) {
	d := every(f)
	for _, s := range []string{helloChunk + doneChunk, claudeStart + claudeDelta + claudeStop, keepAlive + errorChunk, geminiPart + geminiStop, "data\r\rdata:\r\n: \r"} {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, in []byte, size uint8) {
		whole := readAll(newEvents(d, true), string(in))
		pieces := readAll(newEvents(d, true), string(in), int(size)+1)
		if whole != pieces {
			t.Fatalf("%q\nas a whole %+v\nin pieces %+v", in, whole, pieces)
		}
		if again := readAll(newEvents(d, true), whole.out); again.out != whole.out {
			t.Fatalf("%q was not passed on as it is, but as %q", whole.out, again.out)
		}
	})
}

func TestEventsThatDifferInTheirTextAloneAreNotReadAgain(t *testing.T) {
	e := newEvents(every(t), true)
	var in strings.Builder
	for i := range 100 {
		in.WriteString(strings.Replace(helloChunk, "Hello", fmt.Sprint("word ", i), 1))
	}
	e.feed([]byte(in.String()))
	require.Equal(t, 100, e.deltas)
	require.Equal(t, strings.TrimPrefix(helloChunk, "data: "), string(e.usual.before)+"Hello"+string(e.usual.after)+"\n\n")
}

func BenchmarkEvents(b *testing.B) {
	chunk := `data: {"id":"chatcmpl-9f8a7b6c5d4e3f2a1b0c","object":"chat.completion.chunk","created":1735790645,"model":"deepseek-chat",` +
		`"system_fingerprint":"fp_3d5141a69a","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}` + "\n\n"
	const each = 16
	buf := []byte(strings.Repeat(chunk, each))
	e := newEvents(every(b), true)
	b.ReportAllocs()
	b.SetBytes(int64(len(chunk)))
	for i := 0; b.Loop(); i++ {
		if i%each == 0 {
			e.feed(buf)
		}
	}
	if e.deltas < b.N {
		b.Fatal(fmt.Sprint(e.deltas, " events of ", b.N))
	}
}
