package middlewaretest

import (
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// inform sends the 1xx answers.
func (s *service) inform(answers []Informational) {
	h := s.w.Header()
	for _, i := range answers {
		maps.Copy(h, i.Header)
		s.w.WriteHeader(i.Status)
		for key := range i.Header {
			h.Del(key)
		}
	}
}

// send sends the answer, with its fault.
func (s *service) send(a Answer) {
	switch a.Fault {
	case Reset:
		if c, ok := connOf(s.r.Context()); ok {
			c.reset()
		}
		s.broken()
	case HangHeaders:
		s.hang()
	}
	if a.Upgrade != "" {
		s.upgrade(a)
		return
	}
	s.header(a)
	if a.bodyAllowed() && s.r.Method != http.MethodHead {
		s.content(a)
	}
	s.trailer(a)
	if s.r.Context().Err() != nil && s.u.running.Err() == nil {
		s.end = abandoned // finished for nobody
	}
}

// header sends status and headers.
func (s *service) header(a Answer) {
	h := s.w.Header()
	maps.Copy(h, a.Header.Clone())
	unknown := a.Chunked || a.Stream != nil || len(a.Trailer) > 0
	if a.bodyAllowed() && !unknown && h.Get("Content-Length") == "" {
		h.Set("Content-Length", strconv.Itoa(promised(a)))
	}
	if !a.TrailerUnannounced {
		for key := range a.Trailer {
			h.Add("Trailer", key)
		}
	}
	s.u.rec.begin(s.seen, a.status())
	s.w.WriteHeader(a.status())
	if unknown || a.Fault != NoFault {
		s.flush()
	}
}

// promised is the length to declare: one more than the body where the whole body arrives and its end must be missed.
func promised(a Answer) int {
	if a.Fault != NoFault && (a.After < 0 || a.After >= len(a.Body)) {
		return len(a.Body) + 1
	}
	return len(a.Body)
}

// content sends the body and breaks it off where the fault is due.
func (s *service) content(a Answer) {
	out := &budget{w: s.w, left: -1}
	if a.Fault == CutBody || a.Fault == HangBody {
		out.left = a.After
	}
	s.write(out, a.Body)
	if a.Stream != nil && out.left != 0 {
		s.stream(out, a)
	}
	switch a.Fault {
	case CutBody:
		s.flush()
		s.broken()
	case HangBody:
		s.flush()
		s.hang()
	}
}

func (s *service) stream(out *budget, a Answer) {
	for c := range a.Stream {
		if c.Wait != nil {
			select {
			case <-c.Wait:
			case <-s.patience().Done():
				s.gone()
			}
		}
		if !s.pause(c.Gap) {
			s.gone()
		}
		s.write(out, []byte(c.Data))
		s.flush()
		if out.left == 0 {
			return
		}
	}
}

func (s *service) trailer(a Answer) {
	prefix := ""
	if a.TrailerUnannounced {
		prefix = http.TrailerPrefix
	}
	for key, values := range a.Trailer {
		s.w.Header()[prefix+key] = values
	}
}

// hang waits until the client leaves.
func (s *service) hang() {
	<-s.r.Context().Done()
	s.gone()
}

func (s *service) write(out io.Writer, p []byte) {
	if _, err := out.Write(p); err != nil && !s.u.cfg.FinishAbandoned {
		s.gone()
	}
}

// flush pushes out what was written; a client that has left is noticed by the next write or pause.
func (s *service) flush() { _ = http.NewResponseController(s.w).Flush() }

// budget passes on the first bytes and drops the rest; left < 0 passes on all.
type budget struct {
	w    io.Writer
	left int
}

func (b *budget) Write(p []byte) (int, error) {
	if b.left < 0 {
		return b.w.Write(p)
	}
	n := min(len(p), b.left)
	b.left -= n
	if _, err := b.w.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// upgrade switches protocols and echoes.
func (s *service) upgrade(a Answer) {
	raw, buffered, err := http.NewResponseController(s.w).Hijack()
	if err != nil { // HTTP/2 has no 101 (RFC 9113, section 8.6)
		s.send(Text(http.StatusNotImplemented, "middlewaretest: no upgrade on "+s.r.Proto))
		return
	}
	defer raw.Close()
	_ = raw.SetDeadline(time.Time{})
	s.u.rec.begin(s.seen, http.StatusSwitchingProtocols)
	h := a.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	h.Set("Connection", "Upgrade")
	h.Set("Upgrade", a.Upgrade)
	_, _ = io.WriteString(raw, "HTTP/1.1 101 Switching Protocols\r\n")
	_ = h.Write(raw)
	_, _ = io.WriteString(raw, "\r\n")
	// It ends when the client closes, and at Close; writing to a client that has gone ends it too.
	_, _ = io.Copy(raw, buffered.Reader)
}
