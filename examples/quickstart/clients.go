package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/headgate-go/headgate/middleware/middlewaretest/loadtest"
)

// chatRequest is the part of an OpenAI-style request that is used here.
type chatRequest struct {
	Model    string        `json:"model"`
	Messages []chatMessage `json:"messages"`
}

type chatMessage struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type chatResponse struct {
	Choices []struct {
		Message chatMessage `json:"message"`
	} `json:"choices"`
}

func newRequest(ctx context.Context, url, model, prompt string) (*http.Request, error) {
	body, err := json.Marshal(chatRequest{Model: model, Messages: []chatMessage{{Role: "user", Content: prompt}}})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	return req, nil
}

// ask sends one prompt and judges the answer.
func ask(ctx context.Context, client *http.Client, url, prompt string) (answer loadtest.Answer, cached bool) {
	req, err := newRequest(ctx, url, "demo", prompt)
	if err != nil {
		return loadtest.Failed, false
	}
	resp, err := client.Do(req)
	if err != nil {
		return loadtest.Failed, false
	}
	defer resp.Body.Close()
	var out chatResponse
	err = json.NewDecoder(resp.Body).Decode(&out)
	_, _ = io.Copy(io.Discard, resp.Body)
	switch {
	case err != nil || resp.StatusCode != http.StatusOK || len(out.Choices) == 0:
		return loadtest.Failed, false
	case resp.Header.Get("Headgate-Fallback") != "":
		return loadtest.Degraded, false
	case out.Choices[0].Message.Content != answerTo(prompt):
		return loadtest.Failed, false // an answer to somebody else's question would be worse than none
	default:
		return loadtest.Fresh, strings.Contains(resp.Header.Get("Cache-Status"), "; hit")
	}
}

// answerTo is what the embedded upstream answers.
func answerTo(prompt string) string { return fmt.Sprintf("An answer to: %s", prompt) }
