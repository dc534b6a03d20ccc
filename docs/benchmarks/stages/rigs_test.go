package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

// rig is one way to do what a stage does.
type rig struct {
	stage, client string
	rt            http.RoundTripper
}

// rigs are all of them, stage by stage, each over a stub.
func rigs(tb testing.TB) []rig {
	tb.Helper()
	all := []rig{
		{baseStage, stubClient, stub},
		{baseStage, chainClient, middleware.Chain(stub, through)},
	}
	for _, stage := range stages(tb) {
		all = append(all,
			rig{stage.name, headgateAlone, stage.wrap(stub)},
			rig{stage.name, inChain, middleware.Chain(stub, through, stage.wrap)})
		for _, p := range peers() {
			if p.stage == stage.name {
				all = append(all, rig{p.stage, p.client, p.wrap(stub)})
			}
		}
	}
	all = append(all, rig{"full stack", headgateAlone, full(tb, stub)})
	for _, p := range peers() {
		if p.stage == "full stack" {
			all = append(all, rig{p.stage, p.client, p.wrap(stub)})
		}
	}
	return append(all, refusals(tb)...)
}

// refusals are open breakers.
func refusals(tb testing.TB) []rig {
	tb.Helper()
	var down atomic.Bool
	down.Store(true)
	base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		if down.Load() {
			return nil, io.ErrUnexpectedEOF
		}
		return stub(req)
	})
	all := []rig{{refusal, headgateAlone, openable(tb)(base)}}
	for _, p := range peers() {
		if p.stage == "circuit_breaker" {
			all = append(all, rig{refusal, p.client, p.wrap(base)})
		}
	}
	for _, r := range all {
		for range 100 {
			require.Error(tb, call(r.rt, request()))
		}
	}
	down.Store(false)
	return all
}

// stub answers at once and, as net/http does, derives a context from the request's.
var stub = middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
	_, cancel := context.WithCancel(req.Context())
	defer cancel()
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("ok")), Request: req}, nil
})

// through is a stage that settles and does nothing else: what a chain costs anyway.
func through(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		ex.OnEnd(nothing{}, 0)
		return next.RoundTrip(inner)
	})
}

type nothing struct{}

func (nothing) Settle(uint64, middleware.End) {}

func request() *http.Request {
	req, err := http.NewRequest(http.MethodPost, "http://api.example.com/v1", nil)
	if err != nil {
		panic(err) // the URL is a constant
	}
	return req
}

func call(rt http.RoundTripper, req *http.Request) error {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return err
}
