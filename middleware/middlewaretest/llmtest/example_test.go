package llmtest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/headgate-go/headgate/middleware/middlewaretest/llmtest"
)

// An API that is busy, breaks a connection, and then replies.
func ExampleStart() {
	cfg := llmtest.DefaultConfig()
	cfg.Turns = []llmtest.Turn{llmtest.Busy(503), llmtest.Reset(), llmtest.Say(llmtest.Words("hello, world"))}
	api, err := llmtest.Start(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer api.Close()

	client := api.Client()
	for range 3 {
		req, _ := http.NewRequest(http.MethodPost, api.URL+"/chat/completions",
			strings.NewReader(`{"model": "deepseek-chat", "messages": [{"role": "user", "content": "Hello?"}]}`))
		req.Header.Set("Authorization", "Bearer key")
		resp, err := client.Do(req)
		if err != nil {
			fmt.Println("no answer")
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		fmt.Println(resp.StatusCode, strings.Contains(string(body), "hello, world"))
	}
	stats := api.Stats()
	fmt.Println(stats.Requests, "attempts,", stats.Delivered, "tokens delivered,", stats.Wasted(), "wasted")
	// Output:
	// 503 false
	// no answer
	// 200 true
	// 3 attempts, 2 tokens delivered, 0 wasted
}

// Some of the failures that a stream of DeepSeek's can meet, with what a client should make of them.
func ExampleFailures() {
	for _, f := range llmtest.Failures(10 * time.Millisecond) {
		if f.Happens(llmtest.DeepSeek, true) && strings.Contains(f.Name, "the middle") {
			fmt.Println(f.Name, "->", f.Expect)
		}
	}
	// Output:
	// hang in the middle -> an error
	// error event in the middle -> an error
	// cut in the middle -> an error
	// clean end in the middle -> an error
}

// A stream that stops in the middle without an error.
func ExampleEndAfter() {
	cfg := llmtest.DefaultConfig()
	cfg.Turns = []llmtest.Turn{llmtest.EndAfter(2, llmtest.Words("Paris is the capital"))}
	api, err := llmtest.Start(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer api.Close()

	req, _ := http.NewRequest(http.MethodPost, api.URL+"/v1/messages",
		strings.NewReader(`{"model": "claude", "max_tokens": 50, "stream": true, "messages": [{"role": "user", "content": "?"}]}`))
	req.Header.Set("X-Api-Key", "key")
	req.Header.Set("Anthropic-Version", "2023-06-01")
	resp, err := api.Client().Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Println(strings.Count(string(body), "text_delta"), strings.Contains(string(body), "message_stop"), err)
	fmt.Println(api.Stats().Wasted(), "tokens for nobody")
	// Output:
	// 2 false <nil>
	// 2 tokens for nobody
}
