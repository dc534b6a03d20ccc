package llm

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
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
		"event: ping\n"+helloChunk, "id: 1\n"+claudeDelta, "id: 2\n"+claudeDelta, "event: response.failed\n"+helloChunk, strings.TrimSuffix(helloChunk, "\n")+"data: {\"error\":1}\n\n")
	for _, name := range slices.Sorted(maps.Keys(streams)) {
		parts = append(parts, streams[name](1), streams[name](27))
	}
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
	for _, event := range streams {
		f.Add([]byte(event(1)+event(27)+event(3)), uint8(20))
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

// streams are long ones of each API: an event with content, and what differs from one to the next.
var streams = map[string]func(i int) string{
	"chat": func(i int) string {
		return fmt.Sprintf(`data: {"id":"chatcmpl-9f8a7b6c5d4e3f2a1b0c","object":"chat.completion.chunk","created":1735790645,"model":"deepseek-chat",`+
			`"system_fingerprint":"fp_3d5141a69a","choices":[{"index":0,"delta":{"content":" word %d"},"logprobs":null,"finish_reason":null}]}`+"\n\n", i)
	},
	"lines and quotes": func(i int) string {
		return strings.Replace(helloChunk, "Hello", fmt.Sprintf(`\n\"%d\"\\`, i), 1)
	},
	"calls of tools": func(i int) string {
		return fmt.Sprintf(`data: {"id":"1","created":%d,"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"%d\":"}}]}}]}`+"\n\n", i, i)
	},
	"reasoning": func(i int) string {
		return fmt.Sprintf(`data: {"id":"1","choices":[{"index":0,"delta":{"content":"","reasoning_content":"step %d"},"finish_reason":null}]}`+"\n\n", i)
	},
	"messages": func(i int) string { return strings.Replace(claudeDelta, "Hi", fmt.Sprint("word ", i), 1) },
	"responses": func(i int) string {
		return fmt.Sprintf("event: response.output_text.delta\n"+`data: {"type":"response.output_text.delta","sequence_number":%d,"item_id":"msg_68a1b2c3d4e5f6a7b8c9d0e1f2",`+
			`"output_index":0,"content_index":0,"delta":" word","logprobs":[],"obfuscation":"%s"}`+"\n\n", i, strings.Repeat("x", i%16))
	},
	"Gemini": func(i int) string {
		return fmt.Sprintf(`data: {"candidates": [{"content": {"parts": [{"text": " some words of"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 9,`+
			`"candidatesTokenCount": %d,"totalTokenCount": %d,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 9}]},"modelVersion": "gemini-2.5-flash","responseId": "abcDEF123"}`+"\r\n\r\n", i, i+9)
	},
}

func TestEventsThatDifferInWhatDoesNotMatterAreNotReadAgain(t *testing.T) {
	for name, event := range streams {
		t.Run(name, func(t *testing.T) {
			e := newEvents(every(t), true)
			var in strings.Builder
			for i := range 100 {
				in.WriteString(event(i))
			}
			e.feed([]byte(in.String()))
			require.Equal(t, 100, e.deltas)
			require.Equal(t, event(0), string(e.usual.event), "the first event is the only one that was read")
			if name == "Gemini" {
				require.Equal(t, tokens{input: 9, output: 99}, e.doc.facts.tokens)
			}
		})
	}
}

// What is different in meaning is read.
func TestEventsThatDifferInWhatMattersAreRead(t *testing.T) {
	usual := `data: {"n":1,"type":"t","choices":[{"delta":{"content":"a"}}],"usage":{"completion_tokens":3}}` + "\n\n"
	for name, other := range map[string]string{
		"no text":               strings.Replace(usual, `"a"`, `""`, 1),
		"text that is null":     strings.Replace(usual, `"a"`, `null`, 1),
		"another member":        strings.Replace(usual, `"content"`, `"contend"`, 1),
		"text that ends sooner": strings.Replace(usual, `"a"`, `"a","role":"b"`, 1),
		"another type":          strings.Replace(usual, `"t"`, `"ping"`, 1),
		"a field of its own":    "event: ping\n" + usual,
		"a number too long":     strings.Replace(usual, `:3`, `:`+strings.Repeat("3", 65), 1),
		"no number":             strings.Replace(usual, `:1`, `:""`, 1),
		"a number that is big":  strings.Replace(usual, `:3`, `:3e9`, 1),
		"more":                  strings.Replace(usual, `}}`+"\n", `},"error":{"code":"x"}}`+"\n", 1),
		"a line's end in text":  strings.Replace(usual, `"a"`, "\"a\nb\"", 1),
		"a CR in text":          strings.Replace(usual, `"a"`, "\"a\rb\"", 1),
		"the same after a \\":   strings.Replace(usual, `"a"`, "\"a\\\"\nb\"", 1),
		"a second line":         strings.TrimSuffix(usual, "\n") + "event: ping\n\n",
		"data in two lines":     strings.TrimSuffix(usual, "\n") + "data: {}\n\n",
		"no blank line":         strings.TrimSuffix(usual, "\n"),
		"half of it":            usual[:len(usual)/2],
	} {
		for seen, before := range map[string]string{
			"once": usual, "with other values": usual + strings.NewReplacer("1", "7", `"a"`, `"b"`, "3", "9").Replace(usual),
		} {
			t.Run(name+" after one seen "+seen, func(t *testing.T) {
				after, alone := newEvents(every(t), true), newEvents(every(t), true)
				after.feed([]byte(before))
				after.doc.facts.tokens, after.deltas, after.progress, after.ready = tokens{}, 0, false, false
				after.feed([]byte(other))
				alone.feed([]byte(other))
				a, b := after.read(), alone.read()
				require.Equal(t, []any{b.deltas, b.progress, b.ready, b.done, b.fault, b.told, b.doc.facts.tokens},
					[]any{a.deltas, a.progress, a.ready, a.done, a.fault, a.told, a.doc.facts.tokens})
			})
		}
	}
}

// What stands in an event of several lines, or in one that moved, is not where it was read.
func TestOnlyAnEventInOnePieceIsTakenAsUsual(t *testing.T) {
	lines := strings.Replace(helloChunk, `"choices"`, "\ndata: \"choices\"", 1)
	for name, pieces := range map[string][]string{
		"data in two lines":       {lines},
		"in two pieces":           {helloChunk[:20], helloChunk[20:]},
		"a comment in front":      {keepAlive + helloChunk},
		"a blank line in front":   {"\n" + claudeDelta},
		"a comment within":        {"event: a\n: b\n" + helloChunk},
		"a field after the data":  {strings.TrimSuffix(helloChunk, "\n") + "id: 1\n\n"},
		"an end that may go on":   {strings.ReplaceAll(helloChunk, "\n", "\r")},
		"more than is kept of it": {strings.Replace(helloChunk, "Hello", strings.Repeat("Hello", maxTemplate/5), 1)},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEvents(every(t), true)
			for _, p := range pieces {
				e.feed([]byte(p))
			}
			require.Equal(t, 1, e.deltas)
			require.Empty(t, e.usual.event)
		})
	}
}

func TestTokensAreToldAgainByAnEventWithTheSameOnes(t *testing.T) {
	e := newEvents(every(t), true)
	e.feed([]byte(geminiPart + geminiPart + strings.Replace(geminiStop, `:4`, `:5`, 1) + geminiPart))
	require.Equal(t, tokens{input: 4, output: 1, more: 30}, e.doc.facts.tokens)
}

func TestAnEventAllocatesNothing(t *testing.T) {
	for name, event := range streams {
		t.Run(name, func(t *testing.T) {
			e := newEvents(every(t), true)
			usual, other := []byte(event(1)+event(22)), []byte(strings.Replace(event(1), `{`, `{"x":[1,{"y":"z"}],`, 1))
			require.Zero(t, testing.AllocsPerRun(100, func() {
				e.feed(usual)
				e.feed(other)
				for i := range usual {
					e.feed(usual[i : i+1])
				}
			}))
		})
	}
}

func BenchmarkEvents(b *testing.B) {
	for name, event := range streams {
		b.Run(name, func(b *testing.B) {
			const each = 16
			var all strings.Builder
			for i := range each {
				all.WriteString(event(i + 10))
			}
			buf := []byte(all.String())
			e := newEvents(every(b), true)
			b.ReportAllocs()
			b.SetBytes(int64(len(buf) / each))
			for i := 0; b.Loop(); i++ {
				if i%each == 0 {
					e.feed(buf)
				}
			}
			if e.deltas < b.N {
				b.Fatal(e.deltas, " events of ", b.N)
			}
		})
	}
}
