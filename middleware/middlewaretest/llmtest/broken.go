package llmtest

import (
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

// Reset resets the connection before a byte of the answer.
func Reset() Turn { return fault(middlewaretest.Reset) }

// Hang sends nothing until the client leaves.
func Hang() Turn { return fault(middlewaretest.HangHeaders) }

func fault(f middlewaretest.Fault) Turn {
	return func(Request) middlewaretest.Answer { return middlewaretest.Answer{Fault: f} }
}

// CutAfter resets the connection after n tokens of the reply, of a JSON body after as large a share of its bytes.
// With 0 the headers have been sent, and of a stream what comes before the first token.
func CutAfter(n int, reply Reply) Turn { return partOf(n, reply, middlewaretest.CutBody) }

// HangAfter stops after n tokens and keeps the connection open until the client leaves.
func HangAfter(n int, reply Reply) Turn { return partOf(n, reply, middlewaretest.HangBody) }

// EndAfter ends the answer in good order after n tokens: a stream has no terminal event, a JSON body is cut.
func EndAfter(n int, reply Reply) Turn { return partOf(n, reply, middlewaretest.NoFault) }

func partOf(n int, reply Reply, f middlewaretest.Fault) Turn {
	return func(r Request) middlewaretest.Answer {
		if r.Stream {
			a := r.sse(r.pieces(upTo(reply.events(r), n), reply.Gap, false))
			a.Fault, a.After = f, -1
			return a
		}
		r.meter.made(min(n, reply.tokens()))
		a := jsonAnswer(http.StatusOK, reply.body(r))
		share := len(a.Body) * min(n, reply.tokens()) / max(reply.tokens(), 1)
		if f == middlewaretest.NoFault {
			a.Body = a.Body[:share]
		}
		a.Fault, a.After = f, share
		return a
	}
}

// ErrorAfter ends a stream after n tokens with an error event, in the words of [Overloaded]. Asked for a JSON body it
// answers 200 with that error as the body, whatever n is.
func ErrorAfter(n int, reply Reply) Turn {
	return func(r Request) middlewaretest.Answer {
		if !r.Stream {
			return Disguised()(r)
		}
		return r.sse(r.pieces(append(upTo(reply.events(r), n), overloaded(r).event(r)), reply.Gap, false))
	}
}

// Disguised answers 200 with an error as a JSON body, in the words of [Overloaded], also where a stream was asked for.
func Disguised() Turn {
	return func(r Request) middlewaretest.Answer { return overloaded(r).answer(r, http.StatusOK) }
}

// Empty answers 200 without a body, with the type that was asked for.
func Empty() Turn { return Blank(0) }

// Blank answers 200 with nothing but n blank lines, of a stream as many comments, and ends in good order.
func Blank(n int) Turn {
	return func(r Request) middlewaretest.Answer {
		if r.Stream {
			return r.sse(middlewaretest.Repeat(max(n, 0), middlewaretest.Chunk{Data: keepAlive(r)}))
		}
		return jsonAnswer(http.StatusOK, []byte(strings.Repeat("\n", max(n, 0))))
	}
}

// Waiting sends n keep-alives, one in each gap, and then takes the turn: DeepSeek's blank lines before JSON and
// comments in a stream, Anthropic's pings. With n < 0 they never end. Since the headers are sent first, the status is
// 200 whatever the turn's is, and a turn without headers breaks off the body instead.
func Waiting(n int, gap time.Duration, then Turn) Turn {
	return func(r Request) middlewaretest.Answer {
		a := then(r)
		switch a.Fault {
		case middlewaretest.Reset:
			a.Fault, a.After = middlewaretest.CutBody, -1
		case middlewaretest.HangHeaders:
			a.Fault, a.After = middlewaretest.HangBody, -1
		}
		wait := middlewaretest.Chunk{Gap: gap, Data: keepAlive(r)}
		pause := middlewaretest.Chunk{Gap: a.Delay}
		a.Stream = inTurn(middlewaretest.Repeat(n, wait), middlewaretest.Chunks(pause), rest(&a))
		a.Body, a.Status, a.Delay = nil, http.StatusOK, 0
		a.Header = a.Header.Clone()
		a.Header.Del("Content-Length")
		return a
	}
}

// rest is the body of an answer as a stream, with its fault at the end.
func rest(a *middlewaretest.Answer) iter.Seq[middlewaretest.Chunk] {
	if a.Stream != nil {
		return a.Stream
	}
	body := a.Body
	if a.Fault != middlewaretest.NoFault && a.After >= 0 {
		body = body[:min(a.After, len(body))]
	}
	a.After = -1
	return middlewaretest.Chunks(middlewaretest.Chunk{Data: string(body)})
}

func inTurn(streams ...iter.Seq[middlewaretest.Chunk]) iter.Seq[middlewaretest.Chunk] {
	return func(yield func(middlewaretest.Chunk) bool) {
		for _, s := range streams {
			for c := range s {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// keepAlive is what the API sends while a request waits.
func keepAlive(r Request) string {
	switch {
	case !r.Stream:
		return "\n"
	case r.API == Anthropic:
		return event{name: "ping", data: `{"type":"ping"}`}.wire()
	default:
		return ": keep-alive\n\n"
	}
}
