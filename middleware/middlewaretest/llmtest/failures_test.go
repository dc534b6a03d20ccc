package llmtest_test

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "github.com/headgate-go/headgate/middleware/middlewaretest/llmtest"
)

func readCloser(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }

func TestErrorsInTheAPIsOwnWords(t *testing.T) {
	for _, c := range []struct {
		about  string
		turn   Turn
		shape  shape
		status int
		body   []string
	}{
		{"OpenAI overloaded", Overloaded(), shape{OpenAI, true}, 503, []string{`{"error":{"message":`, `"code":"server_is_overloaded"`}},
		{"DeepSeek overloaded", Overloaded(), shape{DeepSeek, false}, 503, []string{"too busy", `"type":"service_unavailable_error"`}},
		{"Anthropic overloaded", Overloaded(), shape{Anthropic, true}, 529, []string{`{"type":"error","error":{"type":"overloaded_error"`}},
		{"OpenAI slow down", SlowDown(), shape{OpenAI, false}, 503, []string{`"code":"slow_down"`}},
		{"DeepSeek 503", Busy(503), shape{DeepSeek, true}, 503, []string{"too busy"}},
		{"Anthropic 529", Busy(529), shape{Anthropic, false}, 529, []string{"overloaded_error"}},
		{"a CDN's 524", Busy(524), shape{OpenAI, false}, 524, []string{"<!DOCTYPE html>"}},
		{"a gateway's 502", Busy(502), shape{OpenAI, false}, 502, []string{"<!DOCTYPE html>"}},
		{"500", Busy(500), shape{OpenAI, false}, 500, []string{`"type":"server_error"`, `"code":null`}},
		{"402", Unpaid(), shape{DeepSeek, false}, 402, []string{"Insufficient Balance"}},
		{"quota", InsufficientQuota(), shape{OpenAI, false}, 429, []string{`"type":"insufficient_quota"`, `"code":"insufficient_quota"`}},
		{"spend limit", SpendLimit(), shape{Anthropic, false}, 429, []string{`"details":{"error_code":"enforced_spend_limit_reached"}`}},
		{"quota per day", DailyQuota(), shape{OpenAI, false}, 429, []string{`[{"error":`, "PerDay", `"retryDelay":"0.1s"`}},
		{"requests at a time", ConcurrencyLimited(7), shape{DeepSeek, false}, 429, []string{"concurrency limit of 7"}},
		{"an error as 200", Disguised(), shape{OpenAI, true}, 200, []string{`{"error":{`}},
		{"an error as 200 of Anthropic", Disguised(), shape{Anthropic, false}, 200, []string{`{"type":"error"`}},
	} {
		t.Run(c.about, func(t *testing.T) {
			u := New(t, c.turn)
			r := c.shape.get(t, u)
			require.NoError(t, r.err)
			require.Equal(t, c.status, r.status)
			for _, part := range c.body {
				require.Contains(t, r.body, part)
			}
			require.Equal(t, 0, u.Stats().Generated)
			require.Equal(t, 0, u.Stats().Invalid)
		})
	}
}

func TestHintsSayWhenToComeBack(t *testing.T) {
	const wait = 1500 * time.Millisecond
	for _, c := range []struct {
		hint         Hint
		says         time.Duration
		field, value string
	}{
		{NoHint, 0, "", ""},
		{RetryAfterMS, wait, "Retry-After-Ms", "1500"},
		{MSRetryAfterMS, wait, "X-Ms-Retry-After-Ms", "1500"},
		{RetryAfterSeconds, 2 * time.Second, "Retry-After", "2"},
		{RetryAfterDecimal, wait, "Retry-After", "1.5"},
		{OpenAIReset, wait, "X-Ratelimit-Reset-Requests", "1.5s"},
		{AzureReset, 2 * time.Second, "X-Ratelimit-Reset-Requests", "2"},
		{GroqReset, wait, "X-Ratelimit-Reset-Tokens", "1.5s"},
		{CerebrasReset, wait, "X-Ratelimit-Reset-Tokens-Minute", "1.5"},
		{MistralRemaining, 0, "X-Ratelimit-Remaining-Req-Minute", "0"},
		{RateLimitField, 2 * time.Second, "Ratelimit", `"default";r=0;t=2`},
		{RateLimitReset, 2 * time.Second, "Ratelimit-Reset", "2"},
	} {
		t.Run(string(c.hint), func(t *testing.T) {
			r := shape{OpenAI, false}.get(t, New(t, RateLimited(c.hint, wait)))
			require.Equal(t, 429, r.status)
			require.Equal(t, c.says, c.hint.Says(wait))
			if c.field != "" {
				require.Equal(t, c.value, r.header.Get(c.field))
			}
		})
	}
	t.Run("dates are not too early", func(t *testing.T) {
		begin := time.Now()
		date := shape{OpenAI, false}.get(t, New(t, RateLimited(RetryAfterDate, wait))).header.Get("Retry-After")
		at, err := time.Parse(time.RFC1123, date)
		require.NoError(t, err)
		require.WithinRange(t, at, begin.Add(wait).Add(-time.Nanosecond), time.Now().Add(wait+time.Second))
		reset := shape{Anthropic, false}.get(t, New(t, RateLimited(AnthropicReset, wait))).header.Get("Anthropic-Ratelimit-Requests-Reset")
		at, err = time.Parse(time.RFC3339, reset)
		require.NoError(t, err)
		require.WithinRange(t, at, begin.Add(wait).Add(-time.Nanosecond), time.Now().Add(wait+time.Second))
	})
	t.Run("in the body", func(t *testing.T) {
		require.Contains(t, shape{OpenAI, false}.get(t, New(t, RateLimited(RetryInfo, wait))).body, `"retryDelay":"1.5s"`)
		require.Contains(t, shape{DeepSeek, true}.get(t, New(t, RateLimited(MessageText, wait))).body, "try again in 1.5s.")
	})
}

func TestAReplyInPart(t *testing.T) {
	reply := Words("one two three four")
	for _, s := range shapes() {
		t.Run(s.String()+" cut", func(t *testing.T) {
			u := New(t, CutAfter(2, reply))
			r := s.get(t, u)
			require.ErrorIs(t, r.err, io.ErrUnexpectedEOF)
			requirePart(t, s, r.body)
			require.Equal(t, 2, u.Stats().Wasted())
		})
		t.Run(s.String()+" with a clean end", func(t *testing.T) {
			u := New(t, EndAfter(2, reply))
			r := s.get(t, u)
			require.NoError(t, r.err)
			requirePart(t, s, r.body)
			require.Equal(t, 2, u.Stats().Wasted())
		})
		t.Run(s.String()+" hanging", func(t *testing.T) {
			u := New(t, HangAfter(2, reply))
			ctx, leave := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer leave()
			r := do(u, s.ask(t, u.URL).WithContext(ctx))
			require.ErrorIs(t, r.err, context.DeadlineExceeded)
			requirePart(t, s, r.body)
			require.Equal(t, 2, u.Stats().Wasted())
		})
	}
}

func requirePart(t *testing.T, s shape, body string) {
	t.Helper()
	require.NotContains(t, body, "four")
	require.NotContains(t, body, "[DONE]")
	require.NotContains(t, body, "message_stop")
	if s.stream {
		require.Contains(t, body, "two")
		require.NotContains(t, body, "three")
	}
}

func TestNothingOfAReply(t *testing.T) {
	reply := Words("one two")
	for _, s := range shapes() {
		for name, turn := range map[string]Turn{"cut": CutAfter(0, reply), "end": EndAfter(0, reply)} {
			t.Run(s.String()+" "+name, func(t *testing.T) {
				r := s.get(t, New(t, turn))
				require.Equal(t, 200, r.status)
				require.NotContains(t, r.body, "one")
				if s.stream {
					require.Contains(t, r.body, "assistant", "what comes before the first token is there")
				}
			})
		}
	}
}

func TestAnErrorInAStream(t *testing.T) {
	for _, s := range shapes() {
		if !s.stream {
			continue
		}
		for n, want := range []bool{false, true} {
			t.Run(s.String()+" after "+strconv.Itoa(n), func(t *testing.T) {
				r := s.get(t, New(t, ErrorAfter(n, Words("one two"))))
				require.NoError(t, r.err)
				require.Equal(t, want, strings.Contains(r.body, "one"))
				require.NotContains(t, r.body, "two")
				require.Contains(t, r.body, `"error":{`)
			})
		}
	}
}

func TestBeforeTheHeaders(t *testing.T) {
	s := shape{DeepSeek, true}
	require.ErrorIs(t, s.get(t, New(t, Reset())).err, syscall.ECONNRESET)
	u := New(t, Hang())
	ctx, leave := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer leave()
	require.ErrorIs(t, do(u, s.ask(t, u.URL).WithContext(ctx)).err, context.DeadlineExceeded)
}

func TestKeepAlivesComeFirst(t *testing.T) {
	for _, s := range shapes() {
		t.Run(s.String(), func(t *testing.T) {
			u := New(t, Waiting(3, 0, Say(Words("at last"))), Waiting(2, 0, Busy(503)), Waiting(1, 0, Reset()), Blank(2), Empty())
			alive := map[bool]string{false: "\n", true: ": keep-alive\n\n"}[s.stream]
			if s.stream && s.api == Anthropic {
				alive = "event: ping\ndata: {\"type\":\"ping\"}\n\n"
			}
			r := s.get(t, u)
			require.NoError(t, r.err)
			rest, ok := strings.CutPrefix(r.body, strings.Repeat(alive, 3))
			require.True(t, ok, r.body)
			require.False(t, strings.HasPrefix(rest, alive))
			require.Contains(t, rest, "at ")
			require.Equal(t, u.Stats().Generated, u.Stats().Delivered)

			r = s.get(t, u)
			require.Equal(t, 200, r.status, "the headers were sent before the turn")
			require.Contains(t, r.body, "error")
			require.ErrorIs(t, s.get(t, u).err, io.ErrUnexpectedEOF)
			require.Equal(t, strings.Repeat(alive, 2), s.get(t, u).body)
			require.Empty(t, s.get(t, u).body)
		})
	}
}

func TestKeepAlivesWithoutAnEnd(t *testing.T) {
	u := New(t, Waiting(-1, time.Millisecond, Hang()))
	ctx, leave := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer leave()
	r := do(u, shape{DeepSeek, false}.ask(t, u.URL).WithContext(ctx))
	require.True(t, errors.Is(r.err, context.DeadlineExceeded))
	require.Greater(t, len(r.body), 3)
	require.Empty(t, strings.TrimSpace(r.body))
}

func TestFinishReasonAlone(t *testing.T) {
	u := New(t, WithoutDone(Words("all of it")))
	r := shape{OpenAI, true}.get(t, u)
	require.Contains(t, r.body, `"finish_reason":"stop"`)
	require.NotContains(t, r.body, "[DONE]")
	require.Equal(t, 0, u.Stats().Wasted())
}
