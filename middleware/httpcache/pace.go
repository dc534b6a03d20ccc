package httpcache

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// pace has a stored event stream replayed event by event, with a pause before
// each but the first, so that a page that shows an answer as it is written does so.
func (r *Route) pace(ctx context.Context, resp *http.Response, body []byte) {
	if r == nil || r.Pace <= 0 || len(body) == 0 || resp.Body == http.NoBody || !strings.EqualFold(mediaType(resp.Header), eventStream) {
		return
	}
	resp.Body = &pacedBody{ctx: ctx, rest: body, every: r.Pace, closed: make(chan struct{})}
}

// pacedBody gives one event of a stream after the other.
type pacedBody struct {
	ctx    context.Context
	rest   []byte
	left   int // of the event that is being read
	begun  bool
	every  time.Duration
	once   sync.Once
	closed chan struct{}
}

// Read gives what is left of an event, or waits for the next one.
func (b *pacedBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		if len(b.rest) == 0 {
			return 0, io.EOF
		}
		if err := b.wait(); err != nil {
			return 0, err
		}
		b.left = eventEnd(b.rest)
	}
	n := copy(p, b.rest[:b.left])
	b.rest, b.left = b.rest[n:], b.left-n
	return n, nil
}

func (b *pacedBody) wait() error {
	every := b.every
	if !b.begun {
		b.begun, every = true, 0
	}
	timer := time.NewTimer(every)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-b.closed:
		return http.ErrBodyReadAfterClose
	case <-b.ctx.Done():
		return b.ctx.Err()
	}
}

// Close also ends a Read that waits.
func (b *pacedBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// eventEnd is the length of the first event, with the empty line that ends it.
func eventEnd(stream []byte) int {
	end := len(stream)
	for _, blank := range [...]string{"\n\n", "\r\n\r\n", "\r\r"} {
		if i := bytes.Index(stream[:end], []byte(blank)); i >= 0 {
			end = i + len(blank)
		}
	}
	return end
}
