package llmtest_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "github.com/headgate-go/headgate/middleware/middlewaretest/llmtest"
)

func TestAReplyHasTheShapeThatWasAskedFor(t *testing.T) {
	reply := Reply{Reasoning: []string{"hmm, ", "yes"}, Text: []string{"Hello, ", "world", "."}}
	for _, c := range []struct {
		shape
		text      []string // what tells text, reasoning, and the end, in this order
		mediaType string
	}{
		{shape{OpenAI, false}, []string{`"content":"Hello, world."`, `"reasoning_content":"hmm, yes"`, `"finish_reason":"stop"`, `"completion_tokens":5`}, "application/json"},
		{shape{DeepSeek, false}, []string{`"model":"deepseek-chat"`, `"content":"Hello, world."`}, "application/json"},
		{shape{Anthropic, false}, []string{`"thinking":"hmm, yes"`, `"text":"Hello, world."`, `"stop_reason":"end_turn"`, `"output_tokens":5`}, "application/json"},
		{shape{OpenAI, true}, []string{`"role":"assistant"`, `"reasoning_content":"hmm, "`, `"content":"Hello, "`, `"content":"world"`, `"finish_reason":"stop"`, "data: [DONE]\n\n"}, "text/event-stream; charset=utf-8"},
		{shape{DeepSeek, true}, []string{`"reasoning_content":"yes"`, `"content":"."`, "data: [DONE]\n\n"}, "text/event-stream; charset=utf-8"},
		{shape{Anthropic, true}, []string{
			"event: message_start\n", `"thinking_delta","thinking":"hmm, "`, "event: content_block_stop\n", `"index":1`,
			`"text_delta","text":"Hello, "`, `"stop_reason":"end_turn"`, "event: message_stop\n",
		}, "text/event-stream; charset=utf-8"},
	} {
		t.Run(c.String(), func(t *testing.T) {
			u := New(t, Say(reply))
			r := c.get(t, u)
			require.NoError(t, r.err)
			require.Equal(t, 200, r.status)
			require.Equal(t, c.mediaType, r.header.Get("Content-Type"))
			rest := r.body
			for _, piece := range c.text {
				_, after, found := strings.Cut(rest, piece)
				require.True(t, found, "%q is missing, or too late, in %s", piece, r.body)
				rest = after
			}
			require.Equal(t, "Hello, world.", reply.String())
			s := u.Stats()
			require.Equal(t, 5, s.Generated)
			require.Equal(t, 0, s.Wasted())
		})
	}
}

func TestEveryEventIsJSON(t *testing.T) {
	for _, s := range shapes() {
		if !s.stream {
			continue
		}
		t.Run(s.String(), func(t *testing.T) {
			for line := range strings.Lines(s.get(t, New(t, Say(Words("some words here")))).body) {
				data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: ")
				if ok && data != "[DONE]" {
					require.True(t, json.Valid([]byte(data)), data)
				}
			}
		})
	}
}

func TestUsageIsSentToThoseWhoAskForIt(t *testing.T) {
	u := New(t)
	req := shape{OpenAI, true}.ask(t, u.URL)
	body := `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"x"}]}`
	req.Body, req.ContentLength, req.GetBody = readCloser(body), int64(len(body)), nil
	require.Contains(t, do(u, req).body, `"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}`)
	require.NotContains(t, shape{OpenAI, true}.get(t, u).body, "usage")
}

func TestTheGapIsBetweenTokens(t *testing.T) {
	reply := Words("five words make a reply")
	reply.Gap = 20 * time.Millisecond
	for _, s := range shapes() {
		t.Run(s.String(), func(t *testing.T) {
			u := New(t, Say(reply))
			begin := time.Now()
			require.NoError(t, s.get(t, u).err)
			require.GreaterOrEqual(t, time.Since(begin), 100*time.Millisecond)
		})
	}
}
