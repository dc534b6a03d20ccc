package httpcache_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
)

// LightRAG#3446, inspect_ai#4846: what was cut off by a limit or a filter is no answer to keep.
func TestAnswersCutOffByALimitOrAFilterAreNotStored(t *testing.T) {
	const sse = "text/event-stream"
	for _, test := range []struct {
		media, body string
		stored      bool
	}{
		{"application/json", `{"choices":[{"finish_reason":"stop"}]}`, true},
		{"application/json", `{"choices":[{"finish_reason": null}]}`, true},
		{"application/json", `{"choices":[{"finish_reason":"tool_calls"}]}`, true},
		{"application/json", `{"choices":[{"finish_reason":"length"}]}`, false},
		{"application/json; charset=utf-8", "{\"choices\":[{\"finish_reason\" :\n\"content_filter\"}]}", false},
		{"application/json", `{"choices":[{"finish_reason":"stop","message":{"content":"{\"finish_reason\":\"length\"}"}}]}`, true},
		{"application/json", `{"choices":[{"finish_reason":"stop"},{"finish_reason":"length"}]}`, false},
		{"application/json", `{"stop_reason":"max_tokens"}`, false},
		{"application/json", `{"stop_reason":"refusal"}`, false},
		{"application/json", `{"stop_reason":"end_turn"}`, true},
		{"application/json", `{"object":"response","status":"incomplete"}`, false},
		{"application/json", `{"object":"response","status":"completed"}`, true},
		{"application/json", `{"object":"task","status":"incomplete"}`, true},
		{"application/json", `{"candidates":[{"finishReason":"SAFETY"}]}`, false},
		{"application/vnd.x+json", `{"candidates":[{"finishReason":"MAX_TOKENS"}]}`, false},
		{"application/json", `{"candidates":[{"finishReason":"STOP"}]}`, true},
		{"text/plain", `"finish_reason":"length"`, true},
		{sse, "data: {\"choices\":[{\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n", false},
		{sse, "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n", true},
		{sse, "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\"}}\n\ndata: {\"type\":\"message_stop\"}\n\n", false},
	} {
		bubble(t, test.body, func(t *testing.T) {
			stage := newCache(t, chatRoute)
			c := &client{t, middleware.Chain(always(200, test.body, "Content-Type", test.media), stage.Wrap)}
			require.Equal(t, test.body, c.chat("{}").body, "the caller gets it all the same")
			require.Equal(t, test.stored, c.chat("{}").cached == freshHit)
			require.Equal(t, !test.stored, stage.Stats().Incomplete > 0)
		})
	}
}

// In RFC mode such members mean nothing.
func TestMembersMeanNothingInRFCMode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, always(200, `{"finish_reason":"length"}`, "Content-Type", "application/json", "Cache-Control", "max-age=60"), nil)
		c.get()
		require.Equal(t, freshHit, c.get().cached)
	})
}

// Streaming and non-streaming are kept apart.
func TestStreamsAreNoAnswerToWhoWantsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, always(200, "{}"), func(c *httpcache.Config) {
			chatRoute(c)
			c.Routes[0].CanonicalJSON, c.Routes[0].IgnoreFields = true, []string{"user"}
		})
		c.chat(`{"model":"m","stream":true,"user":"a"}`)
		require.Contains(t, c.chat(`{"model":"m","stream":false,"user":"a"}`).cached, "uri-miss")
		require.Contains(t, c.chat(`{"model":"m","user":"a"}`).cached, "uri-miss")
		require.Contains(t, c.chat(`{"stream": true, "user":"b", "model":"m"}`).cached, "hit")
		require.Contains(t, c.chat(`{"model":"m","temperature":1.0}`).cached, "uri-miss")
		require.Contains(t, c.chat(`{"model":"m","temperature":1}`).cached, "uri-miss", "numbers count as they are written")
	})
}

func TestReplayIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := []string{"data: a\n\n", "data: b\r\n\r\n", "data: [DONE]\n\n"}
		c := newClient(t, always(200, events[0]+events[1]+events[2], "Content-Type", "text/event-stream"), func(c *httpcache.Config) {
			chatRoute(c)
			c.Routes[0].Pace = time.Second
		})
		start := time.Now()
		c.chat("{}")
		require.Zero(t, time.Since(start), "only what is replayed is paced")
		resp, err := c.rt.RoundTrip(chatRequest(t, "{}"))
		require.NoError(t, err)
		buf := make([]byte, 100)
		for i, event := range events {
			n, err := resp.Body.Read(buf)
			require.NoError(t, err)
			require.Equal(t, event, string(buf[:n]))
			require.Equal(t, time.Duration(i)*time.Second, time.Since(start))
		}
		_, err = resp.Body.Read(buf)
		require.Equal(t, io.EOF, err)
		require.NoError(t, resp.Body.Close())
	})
}

// A pause ends with the caller's context, and with Close.
func TestPauseEndsWithTheCaller(t *testing.T) {
	for _, how := range []string{"context", "close"} {
		bubble(t, how, func(t *testing.T) {
			c := newClient(t, always(200, "data: a\n\ndata: [DONE]\n\n", "Content-Type", "text/event-stream"), func(c *httpcache.Config) {
				chatRoute(c)
				c.Routes[0].Pace = time.Hour
			})
			c.chat("{}")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			resp, err := c.rt.RoundTrip(chatRequest(t, "{}").WithContext(ctx))
			require.NoError(t, err)
			_, err = io.ReadFull(resp.Body, make([]byte, 9))
			require.NoError(t, err)
			start := time.Now()
			time.AfterFunc(time.Second, func() {
				if how == "close" {
					_ = resp.Body.Close()
				} else {
					cancel()
				}
			})
			_, err = resp.Body.Read(make([]byte, 9))
			require.Error(t, err)
			require.Equal(t, time.Second, time.Since(start))
			require.NoError(t, resp.Body.Close())
		})
	}
}

func TestTTLJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, always(200, "42"), func(c *httpcache.Config) {
			chatRoute(c)
			c.Routes[0].TTL, c.Routes[0].TTLJitter = 1000*time.Second, 0.2
		})
		seen := map[int]bool{}
		for i := range 100 {
			var ttl int
			_, err := fmt.Sscanf(c.chat(fmt.Sprint(i)).cached, "headgate; fwd=uri-miss; stored; ttl=%d", &ttl)
			require.NoError(t, err)
			require.Greater(t, ttl, 798)
			require.LessOrEqual(t, ttl, 1000)
			seen[ttl] = true
		}
		require.Greater(t, len(seen), 20)
	})
}

func TestRouteSettingsThatAreWrong(t *testing.T) {
	cfg := httpcache.DefaultConfig()
	cfg.Routes = []httpcache.Route{
		{Method: http.MethodPost, TTL: 1, TTLJitter: 1, IgnoreFields: []string{"user"}, Pace: -1},
		{Method: http.MethodPost, TTL: 1, CanonicalJSON: true, IgnoreFields: []string{"stream", ""}},
	}
	cfg.TagHeader, cfg.StoreTimeout, cfg.PurgeWithin, cfg.KeepStale, cfg.InlineBytes, cfg.MaxRecordingBytes = "a b", 0, -1, -1, -1, 1
	err := cfg.Validate()
	for _, key := range []string{
		"route 1: ttl_jitter", "route 1: ignore_fields", "route 1: pace", "route 2: ignore_fields",
		"tag_header", "store_timeout", "purge_within", "keep_stale", "inline_bytes", "max_recording_bytes",
	} {
		require.ErrorContains(t, err, key+": ")
	}
	require.ErrorContains(t, err, "ignore_fields: stream can't be left out")
	require.ErrorContains(t, err, "ignore_fields: one is empty")
}
