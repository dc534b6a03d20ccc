package middlewaretest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// ending is how a request ended, for the counts.
type ending uint8

const (
	answered  ending = iota
	abandoned        // the client left
	faulted          // as the script wanted, or at Close
)

// service is one request being served.
type service struct {
	u    *Upstream
	w    http.ResponseWriter
	r    *http.Request
	seen *Request
	body *body
	end  ending
}

func (u *Upstream) serve(w http.ResponseWriter, r *http.Request) {
	if !u.enter() {
		panic(http.ErrAbortHandler)
	}
	defer u.work.Done()
	s := &service{u: u, w: w, seen: u.rec.arrive(r), body: newBody(r.Body, u.rec)}
	// A copy: net/http looks at the type of its own request's Body when it ends an unread one.
	s.r = r.WithContext(r.Context())
	s.r.Body = s.body
	// A request whose handler ends by a panic has set s.end before.
	defer func() { u.rec.finish(s.seen, r, s.body, s.end) }()

	place, ok := u.slots.enter(time.Now())
	u.rec.changed()
	if !ok {
		u.rec.update(func(st *Stats) { st.Busy++ })
		s.send(u.busyAnswer())
		return
	}
	s.inTurn(place)
}

func (u *Upstream) busyAnswer() Answer {
	if u.cfg.BusyAnswer.Status == 0 {
		return Text(http.StatusServiceUnavailable, "server busy")
	}
	return u.cfg.BusyAnswer
}

// inTurn reads the request while it waits for its slot, serves it and gives the slot back.
func (s *service) inTurn(place *ticket) {
	held := true
	leave := func(at time.Time) {
		if held {
			held = false
			s.u.slots.leave(at)
			s.u.rec.changed()
		}
	}
	answer := s.choose()
	granted := s.readBody(answer) == nil
	var start time.Time
	if granted {
		start, granted = s.awaitSlot(place)
	}
	if !granted {
		s.u.slots.abandon(place, time.Now())
		s.gone()
	}
	// Also when an abandoned or faulted answer ends by a panic.
	defer func() { leave(time.Now()) }()

	s.inform(answer.Informational)
	due := start.Add(s.u.cfg.ServiceTime + answer.Delay)
	if !s.pause(time.Until(due)) {
		s.gone()
	}
	if !answer.holdsSlot() {
		leave(due)
	}
	s.send(answer)
}

// choose asks the script. The server would swallow a panic of it together with the connection.
func (s *service) choose() (answer Answer) {
	defer func() {
		if p := recover(); p != nil {
			answer = Text(http.StatusInternalServerError, fmt.Sprintf("middlewaretest: the script panicked: %v", p))
		}
	}()
	return (*s.u.script.Load())(s.seen.Number, s.r)
}

func (s *service) readBody(a Answer) error {
	if a.IgnoreBody {
		return nil
	}
	_, err := io.Copy(io.Discard, s.body)
	return err
}

// awaitSlot waits for the slot and reports when the service starts, or false if the client leaves first.
func (s *service) awaitSlot(place *ticket) (time.Time, bool) {
	select {
	case start := <-place.granted:
		return start, true
	default:
	}
	select {
	case start := <-place.granted:
		s.u.rec.changed()
		return start, true
	case <-s.patience().Done():
		return time.Time{}, false
	}
}

// patience ends when nobody wants the answer any more.
func (s *service) patience() context.Context {
	if s.u.cfg.FinishAbandoned {
		return s.u.running
	}
	return s.r.Context()
}

// pause waits for d and reports whether the answer is still wanted.
func (s *service) pause(d time.Duration) bool {
	if d <= 0 {
		return s.patience().Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.patience().Done():
		return false
	}
}

// gone ends the handler after the client has left, or at Close.
func (s *service) gone() {
	s.end = abandoned
	if s.u.running.Err() != nil {
		s.end = faulted
	}
	panic(http.ErrAbortHandler)
}

// broken ends the handler, and with it the connection or stream, because the script wants it.
func (s *service) broken() {
	s.end = faulted
	panic(http.ErrAbortHandler)
}
