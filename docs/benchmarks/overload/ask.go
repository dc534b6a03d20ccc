package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/middlewaretest/loadtest"
)

// echo is what the upstream answers. An answer to somebody else's prompt would
// be worse than none, so answers are told apart.
func echo(r *http.Request) middlewaretest.Answer {
	prompt, err := io.ReadAll(r.Body)
	if err != nil {
		return middlewaretest.Text(http.StatusBadRequest, "no prompt")
	}
	return middlewaretest.Text(http.StatusOK, answerTo(string(prompt)))
}

// prompt is what a call asks, each another thing.
func prompt(c *loadtest.Call) string { return fmt.Sprintf("Question number %d?", c.Number) }

func answerTo(prompt string) string { return "An answer to: " + prompt }

// ask sends a prompt and judges the answer.
func ask(ctx context.Context, client *http.Client, url, prompt string) loadtest.Answer {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(prompt))
	if err != nil {
		return loadtest.Failed
	}
	resp, err := client.Do(req)
	if err != nil {
		return loadtest.Failed
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	switch {
	case err != nil || resp.StatusCode != http.StatusOK:
		return loadtest.Failed
	case resp.Header.Get("Headgate-Fallback") != "":
		return loadtest.Degraded
	case string(body) != answerTo(prompt):
		return loadtest.Failed
	default:
		return loadtest.Fresh
	}
}
