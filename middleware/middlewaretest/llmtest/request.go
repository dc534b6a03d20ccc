package llmtest

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

// API is the shape of a request, and so of its answer.
type API uint8

const (
	// OpenAI is chat completions: any path that ends in /chat/completions.
	OpenAI API = iota
	// DeepSeek is chat completions asked for a model whose name begins with "deepseek".
	DeepSeek
	// Anthropic is messages: any path that ends in /messages.
	Anthropic
)

// String gives the vendor's name.
func (a API) String() string {
	switch a {
	case OpenAI:
		return "OpenAI"
	case DeepSeek:
		return "DeepSeek"
	case Anthropic:
		return "Anthropic"
	}
	return "unknown"
}

// Request is what the upstream was asked.
type Request struct {
	// Number counts the upstream's requests from 1.
	Number int
	// API is told from path and model.
	API API
	// Model and Stream are those of the body.
	Model  string
	Stream bool
	// Usage: the stream should end with the tokens used (OpenAI's stream_options.include_usage).
	Usage bool
	// At is when the request was looked at.
	At time.Time

	meter *meter
}

// request reads and checks a request. What is wrong with it is the answer.
func (u *Upstream) request(n int, in *http.Request) (Request, *middlewaretest.Answer) {
	r := Request{Number: n, At: time.Now(), meter: &u.meter}
	switch {
	case strings.HasSuffix(in.URL.Path, "/chat/completions"):
	case strings.HasSuffix(in.URL.Path, "/messages"):
		r.API = Anthropic
	default:
		return r, refuse(r, http.StatusNotFound, "not_found_error", "no such path: want /chat/completions or /messages")
	}
	if in.Method != http.MethodPost {
		return r, refuse(r, http.StatusMethodNotAllowed, "invalid_request_error", "want POST")
	}
	if !hasKey(in.Header) {
		return r, refuse(r, http.StatusUnauthorized, "authentication_error", "no key: want Authorization: Bearer, or X-Api-Key")
	}
	status, err := r.read(in)
	if err != nil {
		return r, refuse(r, status, "invalid_request_error", err.Error())
	}
	if u.cfg.Model != "" && u.cfg.Model != r.Model {
		return r, refuse(r, http.StatusNotFound, "not_found_error", "no such model")
	}
	return r, nil
}

func hasKey(h http.Header) bool {
	bearer, ok := strings.CutPrefix(h.Get("Authorization"), "Bearer ")
	return ok && strings.TrimSpace(bearer) != "" || h.Get("X-Api-Key") != ""
}

// read takes what matters from the body, or says with which status it is refused.
func (r *Request) read(in *http.Request) (status int, err error) {
	data, err := io.ReadAll(in.Body)
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return http.StatusRequestEntityTooLarge, errors.New("the request is too large")
		}
		return http.StatusBadRequest, errors.New("the request's body breaks off")
	}
	var body struct {
		Model         string            `json:"model"`
		Messages      []json.RawMessage `json:"messages"`
		MaxTokens     int               `json:"max_tokens"`
		Stream        bool              `json:"stream"`
		StreamOptions struct {
			IncludeUsage bool `json:"include_usage"`
		} `json:"stream_options"`
	}
	if err := json.Unmarshal(data, &body); err != nil {
		return http.StatusBadRequest, errors.New("the body is not the JSON of a request")
	}
	switch {
	case body.Model == "":
		err = errors.New("model is missing")
	case len(body.Messages) == 0:
		err = errors.New("messages are missing")
	case r.API == Anthropic && body.MaxTokens < 1:
		err = errors.New("max_tokens is missing")
	case r.API == Anthropic && in.Header.Get("Anthropic-Version") == "":
		err = errors.New("the header anthropic-version is missing")
	}
	if err != nil {
		return http.StatusBadRequest, err
	}
	r.Model, r.Stream, r.Usage = body.Model, body.Stream, body.StreamOptions.IncludeUsage
	if r.API == OpenAI && strings.HasPrefix(r.Model, "deepseek") {
		r.API = DeepSeek
	}
	return 0, nil
}

func refuse(r Request, status int, kind, message string) *middlewaretest.Answer {
	a := Error(status, kind, "", message)(r)
	return &a
}

// model names the model in answers; a request that never named one gets a placeholder.
func (r Request) model() string { return cmp.Or(r.Model, "unknown") }
