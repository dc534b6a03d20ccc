package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// keyVariables are where the API key can be, the first one that is set counts.
var keyVariables = []string{"HEADGATE_API_KEY", "DEEPSEEK_API_KEY", "OPENAI_API_KEY"}

// runReal sends prompts to a real API, one after the other.
func runReal(ctx context.Context, url, model string, prompts int, w io.Writer) error {
	var key string
	for _, name := range keyVariables {
		if key = os.Getenv(name); key != "" {
			break
		}
	}
	if key == "" {
		return fmt.Errorf("no API key: set one of %s", strings.Join(keyVariables, ", "))
	}
	c, closing, err := headgate("real")
	if err != nil {
		return err
	}
	defer closing()
	for i := range prompts {
		start := time.Now()
		text, how, err := askReal(ctx, c, strings.TrimSuffix(url, "/"), model, key, fmt.Sprintf("Say the number %d in French, in one word.", i+1))
		text = fmt.Sprintf("%.60s", text)
		if err != nil {
			text, how = err.Error(), "failed"
		}
		fmt.Fprintf(w, "%2d/%d  %8.0f ms  %-9s  %s\n", i+1, prompts, float64(time.Since(start))/1e6, how, strings.Join(strings.Fields(text), " "))
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func askReal(ctx context.Context, c *http.Client, url, model, key, prompt string) (text, how string, err error) {
	req, err := newRequest(ctx, url, model, prompt)
	if err != nil {
		return "", "", err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := c.Do(req)
	if err != nil {
		return "", "", errors.Unwrap(err) // without method and URL, which are the same for all
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", "", fmt.Errorf("%s: %.200s", resp.Status, body)
	}
	var out chatResponse
	if err := json.Unmarshal(body, &out); err != nil {
		return "", "", err
	}
	if len(out.Choices) == 0 {
		return "", "", errors.New("an answer without choices")
	}
	how = "fresh"
	if resp.Header.Get("Headgate-Fallback") != "" {
		how = "degraded"
	} else if strings.Contains(resp.Header.Get("Cache-Status"), "; hit") {
		how = "cached"
	}
	return out.Choices[0].Message.Content, how, nil
}
