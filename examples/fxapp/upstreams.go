package main

import (
	"net/http"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

// upstreams are the two APIs, which are no part of the application: an LLM that
// is too busy for its first three requests, and a search whose answers may be
// kept for a minute.
type upstreams struct{ llm, search *middlewaretest.Upstream }

func startUpstreams() (*upstreams, error) {
	busy := middlewaretest.Text(http.StatusServiceUnavailable, "server busy")
	llm, err := middlewaretest.Start(middlewaretest.Config{Script: middlewaretest.Sequence(busy, busy, busy,
		middlewaretest.Text(http.StatusOK, "A headgate lets in as much water as the mill can take."))})
	if err != nil {
		return nil, err
	}
	search, err := middlewaretest.Start(middlewaretest.Config{Script: middlewaretest.Always(
		middlewaretest.Text(http.StatusOK, "headgate: a gate that controls the flow of water into a channel").With("Cache-Control", "max-age=60"))})
	if err != nil {
		llm.Close()
		return nil, err
	}
	return &upstreams{llm, search}, nil
}

func (u *upstreams) endpoints() endpoints { return endpoints{LLM: u.llm.URL, Search: u.search.URL} }

func (u *upstreams) close() {
	u.llm.Close()
	u.search.Close()
}
