package transport

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// spares keeps HTTP/1.1 connections that were opened ahead until a dial asks for
// one. Each is watched by a pending read, so that one which the server has
// closed is never handed out and does not linger.
type spares struct {
	maxPerHost int
	maxTotal   int
	maxAge     time.Duration
	tasks      *tasks

	mu    sync.Mutex
	conns map[destination][]*spare // newest last
	total int
}

// destination is where a connection leads: plain TCP or with TLS, to host:port, for
// the requests of one lane.
type destination struct {
	lane   *lane
	secure bool
	proxy  bool // host is that of a proxy with TLS, to which HTTP/1.1 is spoken
	host   string
}

type spare struct {
	conn  net.Conn
	taken bool          // no longer the watcher's to close; guarded by spares.mu
	done  chan struct{} // closed when the watcher is gone
	quiet bool          // nothing came and nothing broke; read after done
}

func newSpares(cfg Config, t *tasks) *spares {
	return &spares{
		maxPerHost: cfg.warmLimit(),
		maxTotal:   cfg.MaxIdleConns,
		maxAge:     cfg.IdleConnTimeout,
		tasks:      t,
		conns:      make(map[destination][]*spare),
	}
}

// put keeps c, or closes it and says why. One more than a host may have is
// closed without an error: two warm-ups at once have done the same work.
func (p *spares) put(to destination, c net.Conn) (err error) {
	kept := false
	defer func() {
		if !kept {
			c.Close()
		}
	}()
	if err := c.SetReadDeadline(time.Now().Add(p.maxAge)); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.conns[to]) >= p.maxPerHost {
		return nil
	}
	if p.total >= p.maxTotal {
		return fmt.Errorf("%d connections wait already, which is the limit (max_idle_conns)", p.total)
	}
	s := &spare{conn: c, done: make(chan struct{})}
	if !p.tasks.run(func() { p.watch(to, s) }) {
		return ErrClosed
	}
	p.conns[to] = append(p.conns[to], s)
	p.total++
	kept = true
	return nil
}

// take hands out a spare that is still good.
func (p *spares) take(to destination) (net.Conn, bool) {
	for {
		s := p.pop(to)
		if s == nil {
			return nil, false
		}
		// A deadline in the past ends the watcher's read without harm: TCP and TLS
		// connections go on after a read that timed out.
		interrupt := s.conn.SetReadDeadline(time.Unix(1, 0))
		if interrupt == nil {
			<-s.done
			if s.quiet && s.conn.SetReadDeadline(time.Time{}) == nil {
				return s.conn, true
			}
		}
		s.conn.Close()
	}
}

func (p *spares) pop(to destination) *spare {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.conns[to]
	if len(list) == 0 {
		return nil
	}
	s := list[len(list)-1]
	p.removeLocked(to, s)
	return s
}

// watch waits until the spare is taken, its age ends, or the server closes it or
// says something, which before a request can only be "go away".
func (p *spares) watch(to destination, s *spare) {
	defer close(s.done)
	var b [1]byte
	n, err := s.conn.Read(b[:])
	s.quiet = n == 0 && errors.Is(err, os.ErrDeadlineExceeded)

	p.mu.Lock()
	mine := !s.taken
	if mine {
		p.removeLocked(to, s)
	}
	p.mu.Unlock()
	if mine {
		s.conn.Close()
	}
}

// all returns how many spares wait.
func (p *spares) all() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}

// closeLane closes the spares of a lane. New ones may follow.
func (p *spares) closeLane(l *lane) {
	p.mu.Lock()
	var gone []*spare
	for to, list := range p.conns {
		if to.lane != l {
			continue
		}
		for _, s := range list {
			s.taken = true
		}
		gone = append(gone, list...)
		p.total -= len(list)
		delete(p.conns, to)
	}
	p.mu.Unlock()
	for _, s := range gone {
		s.conn.Close()
	}
}

// removeLocked takes s out of the pool; it is in it.
func (p *spares) removeLocked(to destination, s *spare) {
	s.taken = true
	p.total--
	list := p.conns[to]
	i := slices.Index(list, s)
	if list = slices.Delete(list, i, i+1); len(list) == 0 {
		delete(p.conns, to)
		return
	}
	p.conns[to] = list
}
