package llmtest

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

// Upstream is an LLM API on loopback. Its methods are safe for concurrent use. Of the embedded upstream's
// methods SetScript would replace the API itself; use [Upstream.SetTurns].
type Upstream struct {
	*middlewaretest.Upstream

	cfg   Config
	turns atomic.Pointer[[]Turn]
	meter meter
}

// Start starts an upstream on a free port of 127.0.0.1. The caller closes it.
func Start(cfg Config) (*Upstream, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	u := &Upstream{cfg: cfg}
	u.SetTurns(cfg.Turns...)
	server := cfg.Server
	server.CallHeader = cfg.CallHeader
	server.Script = u.answer
	if cfg.CallHeader != "" {
		server.Script = middlewaretest.PerCall(cfg.CallHeader, server.MaxCalls, u.answer)
	}
	inner, err := middlewaretest.Start(server)
	if err != nil {
		return nil, err
	}
	u.Upstream = inner
	return u, nil
}

// New starts an upstream for a test, with [DefaultConfig] and the turns, and closes it when the test is over.
// It ends the test if the upstream cannot start.
func New(tb testing.TB, turns ...Turn) *Upstream {
	tb.Helper()
	cfg := DefaultConfig()
	cfg.Turns = turns
	u, err := Start(cfg)
	if err != nil {
		tb.Fatalf("llmtest: the upstream did not start: %v", err)
	}
	tb.Cleanup(u.Close)
	return u
}

// SetTurns changes the turns. The numbers of the requests go on; only the last turn is sure to be met.
func (u *Upstream) SetTurns(turns ...Turn) {
	if len(turns) == 0 {
		turns = []Turn{Say(Words("Hello."))}
	}
	turns = slices.Clone(turns)
	u.turns.Store(&turns)
}

// answer is the script of the upstream below.
func (u *Upstream) answer(n int, in *http.Request) middlewaretest.Answer {
	// The upstream records what is read of the body, not how it is bounded.
	bounded := *in
	bounded.Body = http.MaxBytesReader(nil, in.Body, int64(u.cfg.MaxRequest))
	r, refusal := u.request(n, &bounded)
	if refusal != nil {
		u.meter.refused()
		return *refusal
	}
	u.meter.asked(r)
	turns := *u.turns.Load()
	return turns[min(n, len(turns))-1](r)
}
