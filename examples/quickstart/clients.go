package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
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
func ask(ctx context.Context, client *http.Client, url string, c *call) {
	req, err := newRequest(ctx, url, "demo", c.prompt)
	if err != nil {
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	var out chatResponse
	err = json.NewDecoder(resp.Body).Decode(&out)
	_, _ = io.Copy(io.Discard, resp.Body)
	switch {
	case err != nil || resp.StatusCode != http.StatusOK || len(out.Choices) == 0:
	case resp.Header.Get("Headgate-Fallback") != "":
		c.answer = degraded
	case out.Choices[0].Message.Content != answerTo(c.prompt):
		// An answer to somebody else's question would be worse than none.
	default:
		c.answer = fresh
		c.cached = strings.Contains(resp.Header.Get("Cache-Status"), "; hit")
	}
}

// answerTo is what the embedded upstream answers.
func answerTo(prompt string) string { return fmt.Sprintf("An answer to: %s", prompt) }

// pool is how a synchronous application works: a fixed number of workers, and
// a queue in front of them in which requests wait their turn, wanted or not.
type pool struct {
	client  *http.Client
	url     string
	jobs    chan job
	workers sync.WaitGroup
}

type job struct {
	c    *call
	done chan struct{}
}

func newPool(client *http.Client, url string, workers int, limit time.Duration) *pool {
	p := &pool{client: client, url: url, jobs: make(chan job, 100_000)}
	for range workers {
		p.workers.Go(func() {
			for j := range p.jobs {
				// A worker does not know that its caller has left.
				ctx, cancel := context.WithTimeout(context.Background(), limit)
				ask(ctx, p.client, p.url, j.c)
				cancel()
				close(j.done)
			}
		})
	}
	return p
}

func (p *pool) do(_ context.Context, c *call) {
	j := job{c: c, done: make(chan struct{})}
	p.jobs <- j
	<-j.done
}

func (p *pool) close() {
	close(p.jobs)
	p.workers.Wait()
}
