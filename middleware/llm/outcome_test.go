package llm

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

// The table of signals, row by row.
func TestWhatEachErrorMeans(t *testing.T) {
	for _, c := range []struct {
		name         string
		provider     string
		status       int
		header, body string
		want         middleware.Outcome // without Status
	}{
		{"a wrong request", "openai", 400, asJSON, `{"error":{"message":"x","type":"invalid_request_error","code":null}}`, middleware.Outcome{Verdict: middleware.Invalid, Processing: middleware.Processed}},
		{"a wrong key", "anthropic", 401, asJSON, `{"type":"error","error":{"type":"authentication_error","message":"x"}}`, middleware.Outcome{Verdict: middleware.Invalid, Processing: middleware.Processed}},
		{"DeepSeek's 402", "deepseek", 402, asJSON, `{"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}}`, middleware.Outcome{Verdict: middleware.Exhausted, Processing: middleware.Processed}},
		{"DeepSeek's 422", "deepseek", 422, "", "", middleware.Outcome{Verdict: middleware.Invalid, Processing: middleware.Processed}},
		{"OpenAI's quota", "openai", 429, asJSON, `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`,
			middleware.Outcome{Verdict: middleware.Exhausted, Processing: middleware.Processed, Reason: ReasonCode}},
		{"Anthropic's spend limit", "anthropic", 429, asJSON, `{"type":"error","error":{"type":"rate_limit_error","message":"x","details":{"error_code":"enforced_spend_limit_reached"}}}`,
			middleware.Outcome{Verdict: middleware.Exhausted, Processing: middleware.Processed, Reason: ReasonCode}},
		{"Gemini's quota of a day", "gemini", 429, asJSON, `[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"q","violations":[{"quotaId":"GenerateRequestsPerDayPerProject"}]},{"@type":"r","retryDelay":"34.07s"}]}}]`,
			middleware.Outcome{Verdict: middleware.Exhausted, Processing: middleware.Processed, Reason: ReasonCode, Hinted: true, RetryAfter: 34070 * time.Millisecond}},
		{"Gemini's quota of a minute", "gemini", 429, asJSON, `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"RequestsPerMinute"}]},{"retryDelay":"34.07s"}]}}`,
			middleware.Outcome{Verdict: middleware.Pushback, Processing: middleware.Unprocessed, Hinted: true, RetryAfter: 34070 * time.Millisecond}},
		{"a 429", "openai", 429, "Retry-After-Ms: 1500\nRetry-After: 9", "", middleware.Outcome{Verdict: middleware.Pushback, Processing: middleware.Unprocessed, Hinted: true, RetryAfter: 1500 * time.Millisecond}},
		{"a 429 with the resets of its budgets", "openai", 429,
			"X-Ratelimit-Remaining-Requests: 10\nX-Ratelimit-Reset-Requests: 1h\nX-Ratelimit-Remaining-Tokens: 0\nX-Ratelimit-Reset-Tokens: 6m0s", "",
			middleware.Outcome{Verdict: middleware.Pushback, Processing: middleware.Unprocessed, Hinted: true, RetryAfter: 6 * time.Minute}},
		{"Azure does not know its resets", "azure_openai", 429, "X-Ratelimit-Remaining-Tokens: -1\nX-Ratelimit-Reset-Tokens: 0", "", middleware.Outcome{Verdict: middleware.Pushback, Processing: middleware.Unprocessed}},
		{"Anthropic's reset", "anthropic", 429, "Date: Fri, 02 Jan 2026 03:04:05 GMT\nAnthropic-Ratelimit-Input-Tokens-Remaining: 0\nAnthropic-Ratelimit-Input-Tokens-Reset: 2026-01-02T03:04:35Z", "",
			middleware.Outcome{Verdict: middleware.Pushback, Processing: middleware.Unprocessed, Hinted: true, RetryAfter: 30 * time.Second}},
		{"a 429 whose text says when", "openai", 429, asJSON, `{"error":{"message":"Rate limit reached. Please try again in 41.724s. Visit x","type":"tokens","code":"rate_limit_exceeded"}}`,
			middleware.Outcome{Verdict: middleware.Pushback, Processing: middleware.Unprocessed, Hinted: true, RetryAfter: 41724 * time.Millisecond}},
		{"a 429 whose text tells the concurrency", "deepseek", 429, asJSON, `{"error":{"message":"You have reached the concurrency limit of 50 for this model"}}`,
			middleware.Outcome{Verdict: middleware.Pushback, Processing: middleware.Unprocessed, Concurrency: 50}},
		{"a reset of what remains is no hint to a 503", "openai", 503, "X-Ratelimit-Remaining-Tokens: 0\nX-Ratelimit-Reset-Tokens: 6m0s", "", middleware.Outcome{Verdict: middleware.Busy, Processing: middleware.Unprocessed}},
		{"DeepSeek's 503", "deepseek", 503, asJSON, `{"error":{"message":"The server is overloaded, please retry after 6 seconds"}}`,
			middleware.Outcome{Verdict: middleware.Busy, Processing: middleware.Unprocessed, Hinted: true, RetryAfter: 6 * time.Second}},
		{"Anthropic's 529", "anthropic", 529, asJSON, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, middleware.Outcome{Verdict: middleware.Busy, Processing: middleware.Unprocessed}},
		{"an overload with another status", "openai", 500, asJSON, `{"error":{"code":"server_is_overloaded"}}`, middleware.Outcome{Verdict: middleware.Busy, Processing: middleware.Unprocessed, Reason: ReasonCode}},
		{"OpenAI's slow_down", "openai", 503, asJSON, `{"error":{"code":"slow_down"}}`, middleware.Outcome{Verdict: middleware.Busy, Processing: middleware.Unprocessed}},
		{"a CDN's 522", "openai", 522, "", "<html>", middleware.Outcome{Verdict: middleware.Busy, Processing: middleware.Unprocessed}},
		{"a 500", "openai", 500, asJSON, `{"error":{"type":"server_error"}}`, middleware.Outcome{Verdict: middleware.Failure}},
		{"a 504", "anthropic", 504, "", "", middleware.Outcome{Verdict: middleware.Failure}},
		{"a code does not make a failure a wrong request", "openai", 500, asJSON, `{"error":{"type":"invalid_request_error"}}`, middleware.Outcome{Verdict: middleware.Failure}},
		{"X-Should-Retry", "openai", 500, "X-Should-Retry: false", "", middleware.Outcome{Verdict: middleware.Failure, Advice: middleware.DontRepeat}},
		{"Mistral's error", "mistral", 429, asJSON, `{"object":"error","message":"Service tier capacity exceeded for this model.","type":"service_tier_capacity_exceeded","code":"3505"}`,
			middleware.Outcome{Verdict: middleware.Pushback, Processing: middleware.Unprocessed}},
		{"compressed, so the status alone counts", "openai", 429, asJSON + "\nContent-Encoding: gzip", "\x1f\x8b", middleware.Outcome{Verdict: middleware.Pushback, Processing: middleware.Unprocessed}},
		{"blank lines alone", "openai", 503, asJSON, " \r\n", middleware.Outcome{Verdict: middleware.Busy, Processing: middleware.Unprocessed}},
		{"not JSON", "openai", 503, asJSON, "\xff<html>busy", middleware.Outcome{Verdict: middleware.Busy, Processing: middleware.Unprocessed}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s seen
			l := stage(t, func(cfg *Config) { cfg.Provider = c.provider }, nil)
			resp, err := post(t, l, &s, upstream{status: c.status, header: c.header, body: c.body})
			require.NoError(t, err)
			c.want.Status = c.status
			require.Equal(t, c.want, s.outcome)
			require.Equal(t, c.status, resp.StatusCode)
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, c.body, string(text), "the body stays readable")
			require.NoError(t, resp.Body.Close())
		})
	}
}

func TestASuccessThatIsNoneGetsItsRealStatus(t *testing.T) {
	for _, c := range []struct {
		name         string
		header, body string
		status       int
		want         middleware.Outcome // without Status
		text         string             // of the new body; "" for any JSON
		kind         string
	}{
		{"an error in JSON", asJSON, `{"error":{"message":"Server busy","code":"server_is_overloaded"}}`, 503,
			middleware.Outcome{Verdict: middleware.Busy, Processing: middleware.Unprocessed, Reason: ReasonDisguised}, `{"error":{"message":"Server busy","code":"server_is_overloaded"}}`, EventDisguised},
		{"blank lines before it", asJSON, "\n\n\n" + `{"error":{"code":429}}`, 429,
			middleware.Outcome{Verdict: middleware.Pushback, Processing: middleware.Unprocessed, Reason: ReasonDisguised}, `{"error":{"code":429}}`, EventDisguised},
		{"a status in the code", asJSON, `{"error":{"message":"x","code":502},"user_id":"u"}`, 502,
			middleware.Outcome{Verdict: middleware.Failure, Reason: ReasonDisguised}, "", EventDisguised},
		{"an error that says nothing", asJSON, `{"error":"oops"}`, 500, middleware.Outcome{Verdict: middleware.Failure, Reason: ReasonDisguised}, `{"error":"oops"}`, EventDisguised},
		{"a quota", asJSON, `{"error":{"type":"insufficient_quota"}}`, 402, middleware.Outcome{Verdict: middleware.Exhausted, Processing: middleware.Processed, Reason: ReasonDisguised}, "", EventDisguised},
		{"a wrong request", asJSON, `{"error":{"type":"invalid_request_error"}}`, 400, middleware.Outcome{Verdict: middleware.Invalid, Processing: middleware.Processed, Reason: ReasonDisguised}, "", EventDisguised},
		{"JSON to who asked for a stream", asEvents, `{"error":{"code":"rate_limit_exceeded","message":"try again in 2s"}}`, 429,
			middleware.Outcome{Verdict: middleware.Pushback, Processing: middleware.Unprocessed, Reason: ReasonDisguised, Hinted: true, RetryAfter: 2 * time.Second}, "", EventDisguised},
		{"without a label", "", `{"error":{"code":"overloaded_error"}}`, 529, middleware.Outcome{Verdict: middleware.Busy, Processing: middleware.Unprocessed, Reason: ReasonDisguised}, "", EventDisguised},
		{"the first event", asEvents, keepAlive + errorChunk, 503,
			middleware.Outcome{Verdict: middleware.Busy, Processing: middleware.Unprocessed, Reason: ReasonDisguised}, `{"error":{"message":"Server overloaded","type":"server_error","code":"overloaded"}}`, EventDisguised},
		{"an event before the first content", asEvents, claudeStart + claudePing + claudeError, 529,
			middleware.Outcome{Verdict: middleware.Busy, Processing: middleware.Unprocessed, Reason: ReasonDisguised}, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, EventDisguised},
		{"empty", asJSON, "", 502, middleware.Outcome{Verdict: middleware.Failure, Processing: middleware.Unprocessed, Reason: ReasonEmpty}, "", EventEmpty},
		{"blank lines alone", asJSON, "\n\n\r\n", 502, middleware.Outcome{Verdict: middleware.Failure, Processing: middleware.Unprocessed, Reason: ReasonEmpty}, "", EventEmpty},
		{"keep-alives alone", asEvents, keepAlive + keepAlive, 502, middleware.Outcome{Verdict: middleware.Failure, Processing: middleware.Unprocessed, Reason: ReasonEmpty}, "", EventEmpty},
		{"empty, with a length", asJSON + "\nContent-Length: 0", "", 502, middleware.Outcome{Verdict: middleware.Failure, Processing: middleware.Unprocessed, Reason: ReasonEmpty}, "", EventEmpty},
		{"an end before the first content", asEvents, claudeStart + claudeBlock, 502, middleware.Outcome{Verdict: middleware.Failure, Reason: ReasonCut}, "", EventCut},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s seen
			var o told
			resp, err := post(t, stage(t, func(cfg *Config) { cfg.Provider = Generic }, &o), &s, upstream{header: c.header, body: c.body, length: c.header == asJSON+"\nContent-Length: 0"})
			require.NoError(t, err)
			c.want.Status = c.status
			require.Equal(t, c.want, s.outcome)
			require.Equal(t, c.status, resp.StatusCode)
			require.Equal(t, "application/json", resp.Header.Get("Content-Type"))
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Len(t, text, int(resp.ContentLength))
			if c.text == "" {
				require.Contains(t, string(text), `"error"`)
			} else {
				require.Equal(t, c.text, string(text))
			}
			require.NoError(t, resp.Body.Close())
			require.Equal(t, []string{c.kind}, o.kinds())
			require.Equal(t, c.want.Verdict, s.end.Outcome.Verdict)
		})
	}
}

func TestWhatIsNoAnswerOfAModelIsLeftAlone(t *testing.T) {
	for name, c := range map[string]struct {
		method string
		up     upstream
	}{
		"an empty answer to a GET":   {http.MethodGet, upstream{header: asJSON}},
		"a 204":                      {http.MethodPost, upstream{status: 204}},
		"a page":                     {http.MethodPost, upstream{header: "Content-Type: text/html", body: "<p>"}},
		"audio":                      {http.MethodPost, upstream{header: "Content-Type: audio/mpeg", body: "\n\n\xff"}},
		"compressed JSON":            {http.MethodPost, upstream{header: asJSON + "\nContent-Encoding: br", body: "\x1b"}},
		"a list":                     {http.MethodGet, upstream{header: asJSON, body: `{"object":"list","data":[]}`}},
		"events of something else":   {http.MethodGet, upstream{header: asEvents, body: "data: tick\n\n"}},
		"text":                       {http.MethodPost, upstream{header: "Content-Type: text/plain", body: "hello"}},
		"an answer with a null":      {http.MethodPost, upstream{header: asJSON, body: `{"id":"r","error":null,"output":[{"type":"message"}]}`}},
		"JSON that is a single word": {http.MethodPost, upstream{header: asJSON, body: "true"}},
	} {
		t.Run(name, func(t *testing.T) {
			req := newPost(t.Context(), t, "https://api.example.com/x")
			req.Method = c.method
			var o told
			resp, err := stage(t, nil, &o).Wrap(c.up).RoundTrip(req)
			require.NoError(t, err)
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, c.up.body, string(text))
			require.NoError(t, resp.Body.Close())
			require.Empty(t, o.kinds())
		})
	}
}

func TestMessagesSayWhenToComeBack(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"Please try again in 41.724s.":           41724 * time.Millisecond,
		"try again in 6m0s":                      6 * time.Minute,
		"Try again in 20ms":                      20 * time.Millisecond,
		"please retry after 6 seconds":           6 * time.Second,
		"Retry after 2 minutes 3 seconds please": 123 * time.Second,
		"Please retry in 34.07s.":                34070 * time.Millisecond,
		"try again in 1h2m3s":                    3723 * time.Second,
	} {
		d, ok := comeBack(text)
		require.True(t, ok, text)
		require.Equal(t, want, d, text)
	}
	for _, text := range []string{"", "try again in a moment", "retry after 5", "try again in ...s", "retry in -3s", "wait 5s"} {
		_, ok := comeBack(text)
		require.False(t, ok, text)
	}
}

func FuzzMessages(f *testing.F) {
	f.Add("try again in 6m0s, concurrency limit of 50")
	f.Fuzz(func(t *testing.T, text string) {
		if d, _ := comeBack(text); d < 0 {
			t.Fatal(d)
		}
		if n := concurrency(text); n < 0 || n > maxConcurrency {
			t.Fatal(n)
		}
	})
}

// Whatever stands in an error's body, it stays readable and is no panic.
func FuzzErrorBodies(f *testing.F) {
	f.Add(429, `[{"error":{"code":429,"details":[{"retryDelay":"34s"}]}}]`)
	f.Add(200, `{"error":{"code":"x"}}`)
	f.Add(503, "\n\n{")
	f.Add(503, " ")
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		resp, err := stage(t, nil, nil).Wrap(upstream{status: status, header: asJSON, body: body}).RoundTrip(newPost(t.Context(), t, "https://api.openai.com/v1"))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		if status >= 400 && string(text) != body {
			t.Fatalf("%q became %q", body, text)
		}
		_ = resp.Body.Close()
	})
}
