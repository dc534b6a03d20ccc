package storms

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Upstream is a simulated server, an http.RoundTripper: slots, an accept queue, and
// an instant answer beyond. Set its fields before the first request; SetSlots and
// SetAnswer change it in use.
type Upstream struct {
	// Slots is the number of requests served at once; 0 is no limit.
	Slots int
	// Queue is how many wait for a slot, first in, first out. The next one gets 503.
	Queue int
	// Finish has the upstream finish what nobody waits for any more.
	Finish bool
	// Refusal is the work that a 503 costs: so much of a slot's time is lost to it.
	Refusal time.Duration
	// Latency is the way there and back.
	Latency time.Duration
	// Service is how long the n-th request takes, counted from 1.
	Service func(n int) time.Duration
	// Answer, if it is not nil, is asked before anything else; nil means to serve the request.
	Answer func(n int) (*http.Response, error)

	mu      sync.Mutex
	busy    int
	waiting []chan struct{}
	debt    time.Duration
	stats   Stats
	work    sync.WaitGroup // what Finish has to finish
}

// Stats is what an upstream counted.
type Stats struct {
	Requests int // all that arrived
	Served   int // those with a 200, whether anybody still waited or not
	Refused  int // those beyond the queue
}

// Always is a service time that is always the same.
func Always(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

// Stats returns the counts so far.
func (u *Upstream) Stats() Stats {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.stats
}

// Wait waits until the upstream has finished what nobody waits for.
func (u *Upstream) Wait() { u.work.Wait() }

// SetSlots changes the capacity; what is being served ends in its own time.
func (u *Upstream) SetSlots(n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.Slots = n
	u.grant()
}

// SetAnswer changes Answer.
func (u *Upstream) SetAnswer(answer func(n int) (*http.Response, error)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.Answer = answer
}

// RoundTrip serves a request.
func (u *Upstream) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	if err := pause(req, u.Latency); err != nil {
		return nil, err
	}
	resp, err := u.serve(req)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

func (u *Upstream) serve(req *http.Request) (*http.Response, error) {
	n, turn, resp, err := u.arrive()
	if resp != nil || err != nil {
		return resp, err
	}
	if u.Finish {
		return u.finish(req, n, turn)
	}
	select {
	case <-turn:
	case <-req.Context().Done():
		u.leave(turn)
		return nil, req.Context().Err()
	}
	service, extra := u.begin(n)
	err = pause(req, service+extra)
	u.end(err == nil)
	if err != nil {
		return nil, err
	}
	return Response(http.StatusOK), nil
}

// finish serves the request to its end, whatever its caller does.
func (u *Upstream) finish(req *http.Request, n int, turn chan struct{}) (*http.Response, error) {
	done := make(chan struct{})
	u.work.Go(func() {
		defer close(done)
		<-turn
		service, extra := u.begin(n)
		time.Sleep(service + extra)
		u.end(true)
	})
	select {
	case <-done:
		return Response(http.StatusOK), nil
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// arrive takes a place: turn is closed when it is the request's turn.
func (u *Upstream) arrive() (n int, turn chan struct{}, resp *http.Response, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stats.Requests++
	n = u.stats.Requests
	if u.Answer != nil {
		if resp, err = u.Answer(n); resp != nil || err != nil {
			return n, nil, resp, err
		}
	}
	if u.Slots > 0 && u.busy >= u.Slots && len(u.waiting) >= u.Queue {
		u.stats.Refused++
		u.debt += u.Refusal
		return n, nil, Response(http.StatusServiceUnavailable), nil
	}
	turn = make(chan struct{})
	u.waiting = append(u.waiting, turn)
	u.grant()
	return n, turn, nil, nil
}

// grant gives the free slots to those who wait. mu is held.
func (u *Upstream) grant() {
	for len(u.waiting) > 0 && (u.Slots == 0 || u.busy < u.Slots) {
		close(u.waiting[0])
		u.waiting = u.waiting[1:]
		u.busy++
	}
}

// leave gives the place back of somebody who waited, or was just given a slot.
func (u *Upstream) leave(turn chan struct{}) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i, w := range u.waiting {
		if w == turn {
			u.waiting = append(u.waiting[:i], u.waiting[i+1:]...)
			return
		}
	}
	u.busy--
	u.grant()
}

// begin gives the service time, and the refusals' work that this slot has to do:
// no more than a service at a time, so that the work is spread over the slots.
func (u *Upstream) begin(n int) (service, extra time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	service = u.Service(n)
	extra = min(u.debt, service)
	u.debt -= extra
	return service, extra
}

func (u *Upstream) end(served bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if served {
		u.stats.Served++
	}
	u.busy--
	u.grant()
}

func pause(req *http.Request, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-req.Context().Done():
		return req.Context().Err()
	}
}

// Response is an answer with a small body; the header is given as pairs.
func Response(status int, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"text/plain"}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(strings.NewReader("hello")), ContentLength: 5,
	}
}
