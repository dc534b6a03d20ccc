package timeout

import (
	"net/http"
	"sync"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

func (b *bound) silence(ex *middleware.Exchange, req *http.Request, next http.RoundTripper, now time.Time) (*http.Response, error) {
	w := &watch{bound: b, ex: ex}
	ex.OnProgress(w)
	first := b.err.Until == UntilContent
	if first {
		b.set(ex, now)
	}
	resp, err := next.RoundTrip(req)
	if first {
		b.lift(ex)
		if b.reached(ex) {
			return nil, b.late(ex, resp, err)
		}
	}
	// After a 101 the body is a connection, where silence is nothing unusual.
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		ex.OnEnd(b, 0)
		left := b.err.Limit
		if first {
			left -= time.Since(now)
		}
		w.open(left)
	}
	return resp, err
}

// watch bounds the silences of one body: the first one, or each. The clock runs
// only while a Read waits.
type watch struct {
	bound *bound
	ex    *middleware.Exchange

	mu    sync.Mutex
	on    bool // the response is there, and there are silences to bound
	seen  bool // there was content
	reads int  // that are on: more than one where a stage wraps the body, or lets go of an attempt
	left  time.Duration
	since time.Time // when the clock began to run; zero while it stands
}

// open begins to watch the body of a response that is about to be returned.
func (w *watch) open(left time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left = left
	w.on = w.again() || !w.seen
}

// ReadBegins starts the clock.
func (w *watch) ReadBegins() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	if w.on && !w.running() {
		w.start()
	}
}

// Progress ends a silence. Before the response, what a provider stage has seen
// of it counts, but not what is read of an attempt that is thrown away.
func (w *watch) Progress() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = w.seen || w.reads == 0
	w.ended()
	switch {
	case !w.running():
	case w.on:
		w.start()
	default:
		w.stop()
	}
}

// ReadEnds stops the clock.
func (w *watch) ReadEnds(progress bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads--
	switch {
	case progress:
		w.ended()
	case w.running() && w.reads == 0:
		w.left -= time.Since(w.since)
	}
	switch {
	case !w.running():
	case w.reads == 0 || !w.on:
		w.stop()
	case progress:
		w.start()
	}
}

// again tells whether there is another silence to bound after this one.
func (w *watch) again() bool { return w.bound.err.Until == UntilProgress }

// ended gives the next silence all the time that there is.
func (w *watch) ended() {
	w.left = w.bound.err.Limit
	w.on = w.on && w.again()
}

func (w *watch) running() bool { return !w.since.IsZero() }

func (w *watch) start() {
	w.since = time.Now()
	w.ex.Limit(w.since.Add(w.left), &w.bound.err)
}

func (w *watch) stop() {
	w.since = time.Time{}
	w.bound.lift(w.ex)
}
