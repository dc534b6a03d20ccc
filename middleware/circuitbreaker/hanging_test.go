package circuitbreaker_test

import (
	"context"
	"net/http"
	"testing/synctest"
)

// hanging is a call that is with the upstream.
type hanging struct {
	cancel  context.CancelFunc
	release chan func(*http.Request) (*http.Response, error)
	done    chan error
}

// hang starts a call that stays with the upstream until finish or cancel. It
// needs a bubble.
func (r *rig) hang() *hanging {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	h := &hanging{cancel: cancel, release: make(chan func(*http.Request) (*http.Response, error), 1), done: make(chan error, 1)}
	before := r.sent
	req := r.request(ctx)
	r.answer = func(req *http.Request) (*http.Response, error) {
		select {
		case answer := <-h.release:
			return answer(req)
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	go func() { h.done <- read(r.rt.RoundTrip(req)) }()
	synctest.Wait()
	if r.sent != before+1 {
		r.t.Fatal("the request did not reach the upstream")
	}
	return h
}

// finish has the upstream answer, and waits until the call is over.
func (h *hanging) finish(answer func(*http.Request) (*http.Response, error)) error {
	h.release <- answer
	err := <-h.done
	h.cancel()
	return err
}

// stop has the caller give up, and waits until the call is over.
func (h *hanging) stop() error {
	h.cancel()
	return <-h.done
}
