package llmtest

import (
	"iter"
	"net/http"
	"strconv"
	"time"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

// Turn is what the upstream does with one request. It is called from many goroutines at once. Those of this
// package answer in the shape that the request asks for; one of your own may return any [middlewaretest.Answer].
type Turn func(r Request) middlewaretest.Answer

// Say replies.
func Say(reply Reply) Turn {
	return func(r Request) middlewaretest.Answer {
		if !r.Stream {
			return r.json(reply)
		}
		return r.sse(r.pieces(reply.events(r), reply.Gap, true))
	}
}

// WithoutDone replies with a stream that ends after its finish_reason, without [DONE]. It is complete
// nevertheless, and some compatible APIs do so. A JSON body is as usual.
func WithoutDone(reply Reply) Turn {
	return func(r Request) middlewaretest.Answer {
		if !r.Stream || r.API == Anthropic {
			return Say(reply)(r)
		}
		events := reply.events(r)
		return r.sse(r.pieces(events[:len(events)-1], reply.Gap, true))
	}
}

// json answers with the reply as a JSON body.
func (r Request) json(reply Reply) middlewaretest.Answer {
	body := reply.body(r)
	a := jsonAnswer(http.StatusOK, nil).With("Content-Length", strconv.Itoa(len(body)))
	a.Delay = reply.Gap * time.Duration(reply.tokens())
	a.Stream = func(yield func(middlewaretest.Chunk) bool) {
		r.meter.made(reply.tokens())
		r.meter.last(yield, middlewaretest.Chunk{Data: string(body)}, reply.tokens())
	}
	return a
}

// sse answers with a stream.
func (r Request) sse(stream iter.Seq[middlewaretest.Chunk]) middlewaretest.Answer {
	return middlewaretest.Answer{
		Header: http.Header{
			"Content-Type":  {"text/event-stream; charset=utf-8"},
			"Cache-Control": {"no-cache"},
		},
		Stream: stream,
	}
}

// pieces streams events; whole says that the reply is complete with the last of them.
func (r Request) pieces(events []event, gap time.Duration, whole bool) iter.Seq[middlewaretest.Chunk] {
	return func(yield func(middlewaretest.Chunk) bool) {
		tokens := 0
		for i, e := range events {
			c := middlewaretest.Chunk{Data: e.wire()}
			if e.token {
				c.Gap = gap
				tokens++
				r.meter.made(1)
			}
			if whole && i == len(events)-1 {
				r.meter.last(yield, c, tokens)
			} else if !yield(c) {
				return
			}
		}
	}
}

func jsonAnswer(status int, body []byte) middlewaretest.Answer {
	return middlewaretest.Answer{
		Status: status,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   body,
	}
}
