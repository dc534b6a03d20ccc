package main

import (
	"crypto/rand"
	"maps"
	"net/http"
	"slices"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline"
)

// keyConfig is the settings of idempotency_key, as http.yaml writes them.
type keyConfig struct {
	// Methods are those whose requests get a key. Default POST and PATCH.
	Methods []string `yaml:"methods"`
}

func defaultKeyConfig() keyConfig { return keyConfig{Methods: []string{"POST", "PATCH"}} }

// Validate is called with what a configuration says, before anything is built.
func (c keyConfig) Validate() error {
	var p middleware.Problems
	p.Check(len(c.Methods) > 0, "methods", "the list is empty; write for example [POST]")
	return p.Err()
}

// idempotencyKey is the stage type: what configuration calls it, its defaults, and how one is built.
func idempotencyKey() pipeline.Factory {
	return pipeline.Define("idempotency_key", defaultKeyConfig,
		func(c keyConfig, _ pipeline.Env) (pipeline.Stage[keyConfig], error) {
			return pipeline.Stage[keyConfig]{Wrap: c.wrap}, nil
		})
}

// wrap gives each call an Idempotency-Key, by which an API knows a request that
// it has seen before. With one, retry may repeat what else it must not.
func (c keyConfig) wrap(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err) // the caller finds its own request in the response
		if slices.Contains(c.Methods, req.Method) && req.Header.Get("Idempotency-Key") == "" {
			// A RoundTripper doesn't change the request that it is given, nor the map in it.
			header := http.Header{"Idempotency-Key": {rand.Text()}}
			maps.Copy(header, inner.Header)
			inner = inner.WithContext(inner.Context())
			inner.Header = header
		}
		return next.RoundTrip(inner)
	})
}
