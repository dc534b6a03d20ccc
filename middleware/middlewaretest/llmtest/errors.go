package llmtest

import (
	"net/http"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

// apiError is an error in the shapes of the APIs. Anthropic has type, details and message, the others type,
// param, code and message.
type apiError struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

type anthropicError struct {
	Type    string            `json:"type"`
	Message string            `json:"message"`
	Details map[string]string `json:"details,omitempty"`
}

// failure is what went wrong, before it has a shape.
type failure struct {
	kind, code, message string
	details             map[string]string // Anthropic's
}

// body is the failure in the shape of the request's API.
func (f failure) body(to Request) []byte {
	if to.API == Anthropic {
		return encode(struct {
			Type      string         `json:"type"`
			Error     anthropicError `json:"error"`
			RequestID string         `json:"request_id"`
		}{"error", anthropicError{Type: f.kind, Message: f.message, Details: f.details}, "req_1"})
	}
	e := apiError{Message: f.message, Type: f.kind}
	if f.code != "" {
		e.Code = &f.code
	}
	return encode(struct {
		Error apiError `json:"error"`
	}{e})
}

// event is the failure as an event of a stream.
func (f failure) event(to Request) event {
	if to.API == Anthropic {
		return event{name: "error", data: string(f.body(to))}
	}
	return event{data: string(f.body(to))}
}

func (f failure) answer(to Request, status int) middlewaretest.Answer {
	return jsonAnswer(status, f.body(to))
}

// Error answers with a status and an error in the API's shape; a code is left out where the API has none.
func Error(status int, kind, code, message string) Turn {
	return func(r Request) middlewaretest.Answer {
		return failure{kind: kind, code: code, message: message}.answer(r, status)
	}
}

// overloaded is how each API says that it has too much to do, in its own words.
func overloaded(to Request) failure {
	switch to.API {
	case Anthropic:
		return failure{kind: "overloaded_error", message: "Overloaded"}
	case DeepSeek:
		return failure{
			kind: "service_unavailable_error", code: "service_unavailable_error",
			message: "Service is too busy. We advise users to temporarily switch to alternative LLM API service providers.",
		}
	default:
		return failure{
			kind: "server_error", code: "server_is_overloaded",
			message: "Our servers are currently overloaded. Please try again later.",
		}
	}
}

// Overloaded answers in the API's own words: DeepSeek with 503, OpenAI with 503 and the code
// server_is_overloaded, Anthropic with 529 and overloaded_error.
func Overloaded() Turn {
	return func(r Request) middlewaretest.Answer {
		status := http.StatusServiceUnavailable
		if r.API == Anthropic {
			status = 529
		}
		return overloaded(r).answer(r, status)
	}
}

// SlowDown answers 503 with OpenAI's code slow_down: the sender's rate has grown too fast.
func SlowDown() Turn {
	return Error(http.StatusServiceUnavailable, "server_error", "slow_down", "Slow down. Please reduce your request rate.")
}

// Busy answers with a status: 503 and 529 with the API's words, 520 to 524 and the gateways' 502 and 504 with
// an HTML page, as a CDN does that has no answer from its origin, others with a server_error.
func Busy(status int) Turn {
	return func(r Request) middlewaretest.Answer {
		switch {
		case status == http.StatusServiceUnavailable, status == 529:
			return overloaded(r).answer(r, status)
		case status >= 520 && status <= 524, status == http.StatusBadGateway, status == http.StatusGatewayTimeout:
			return middlewaretest.Answer{
				Status: status,
				Header: http.Header{"Content-Type": {"text/html; charset=UTF-8"}, "Server": {"cloudflare"}},
				Body:   []byte("<!DOCTYPE html>\n<html><head><title>The origin has a problem</title></head><body></body></html>\n"),
			}
		default:
			return Error(status, "server_error", "", "The server had an error while processing your request.")(r)
		}
	}
}
