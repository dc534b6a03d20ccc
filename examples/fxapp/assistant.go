package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// endpoints are where the two APIs are.
type endpoints struct{ LLM, Search string }

// assistant answers questions with what it finds. All that it knows of failing
// upstreams is that an http.Client can return an error.
type assistant struct {
	llm, search *http.Client
	at          endpoints
}

func newAssistant(llm, search *http.Client, at endpoints) *assistant {
	return &assistant{llm: llm, search: search, at: at}
}

// answer is the assistant's. Notes are what the pipelines have said about it.
type answer struct{ Text, Notes string }

func (a *assistant) ask(ctx context.Context, question string) (answer, error) {
	found, searched, err := send(ctx, a.search, http.MethodGet, a.at.Search+"/?q="+url.QueryEscape(question), "")
	if err != nil {
		return answer{}, fmt.Errorf("search: %w", err)
	}
	text, asked, err := send(ctx, a.llm, http.MethodPost, a.at.LLM+"/chat", question+"\n\n"+found)
	if err != nil {
		return answer{}, fmt.Errorf("llm: %w", err)
	}
	return answer{Text: text, Notes: strings.Join(append(searched, asked...), ", ")}, nil
}

// send makes a request and reads the answer, with what the response headers
// say about where it comes from.
func send(ctx context.Context, client *http.Client, method, url, body string) (text string, notes []string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return "", nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", nil, err
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return "", nil, fmt.Errorf("%s", resp.Status)
	}
	for _, name := range []string{"Cache-Status", "Headgate-Fallback"} {
		if v := resp.Header.Get(name); v != "" {
			notes = append(notes, name+": "+v)
		}
	}
	return string(read), notes, nil
}
