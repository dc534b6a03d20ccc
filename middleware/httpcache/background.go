package httpcache

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/internal/crew"
)

// background is the requests that answers are refreshed with after they were
// served stale: one at a time for each answer, and not too many in all.
type background struct {
	crew    crew.Crew
	mu      sync.Mutex
	running map[string]context.CancelFunc // by key and variant
}

// join lets one more run, unless the answer is being refreshed already, there
// are limit, or the stage was stopped.
func (b *background) join(id string, limit int, cancel context.CancelFunc) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running[id] != nil || !b.crew.Join(limit) {
		return false
	}
	if b.running == nil {
		b.running = make(map[string]context.CancelFunc)
	}
	b.running[id] = cancel
	return true
}

func (b *background) leave(id string) {
	b.mu.Lock()
	delete(b.running, id)
	b.mu.Unlock()
	b.crew.Leave()
}

// stop ends what runs, and lets nothing run any more.
func (b *background) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.crew.Stop()
	for _, cancel := range b.running {
		cancel()
	}
}

// Stop ends the refreshes that run in the background, waits for them, and begins
// no more, for good. Calls go on; what is served stale is not refreshed any more.
// It also waits for requests that callers shared and have all left. The error is that
// of ctx, if it ends first.
func (c *Cache) Stop(ctx context.Context) error {
	c.background.stop()
	if err := c.background.crew.Wait(ctx); err != nil {
		return err
	}
	return c.orphans.Wait(ctx)
}

// detached has the values of a call's context and ends on its own. It leaves out
// the call's httptrace, whose hooks may be gone with the call.
type detached struct{ context.Context }

// Value hides the trace.
func (d detached) Value(key any) any {
	v := d.Context.Value(key)
	if _, ok := v.(*httptrace.ClientTrace); ok {
		return nil
	}
	return v
}

// refresh asks the upstream for an answer that was served stale, in the background.
func (l *lookup) refresh(req *http.Request, e *entry, next http.RoundTripper) {
	c, s := l.cache, l.settings
	id := l.place.key + variantOf(e)
	ctx, cancel := context.WithTimeout(detached{context.WithoutCancel(req.Context())}, s.refreshTimeout)
	if !c.background.join(id, s.maxRefreshes, cancel) {
		cancel()
		return
	}
	own := req.Clone(ctx)
	if own.Method == http.MethodHead {
		own.Method = http.MethodGet
	}
	if own.GetBody != nil { // content that was read for its key
		own.Body, _ = own.GetBody()
	}
	// What the caller wanted of its own answer is not what is wanted now.
	for _, name := range [...]string{"Cache-Control", "Pragma", "If-None-Match", "If-Modified-Since", "Range", "If-Range"} {
		delete(own.Header, name)
	}
	again := *l
	again.query = query{method: own.Method, header: own.Header, keyed: l.query.keyed, isQuery: l.query.isQuery}
	go func() {
		defer c.background.leave(id)
		defer cancel()
		c.stats.refreshes.Add(1)
		if err := again.renew(own, e, next); err != nil {
			c.stats.refreshesFailed.Add(1)
			c.report(ctx, EventRefreshFailed, slog.LevelWarn, err)
		}
	}()
}

// variantOf tells apart the answers that differ by Vary.
func variantOf(e *entry) string {
	var b strings.Builder
	for _, s := range e.selecting {
		fmt.Fprintf(&b, "\x00%s:%t:%s", s.name, s.found, s.value)
	}
	return b.String()
}

// renew asks the upstream and reads the answer to its end, for it to be stored.
func (l *lookup) renew(req *http.Request, e *entry, next http.RoundTripper) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%s: panic below: %v", l.cache.reporter.Stage, v)
		}
	}()
	l.now = time.Now()
	d := l.query.again(l.settings.policy, e, fwdStale, l.now)
	// An error of the upstream's is no reason to lose what is stored.
	d.onError, d.strict = true, false
	// A chain of its own makes an exchange of its own: the caller's may have ended.
	resp, err := middleware.Chain(next, func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
			ex, inner := middleware.Join(req)
			defer ex.Leave(req, &resp, &err)
			return l.fetch(ex, inner, &d, next)
		})
	}).RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if d.standsIn(resp.StatusCode) {
		return fmt.Errorf("%s: the upstream answered %d", l.cache.reporter.Stage, resp.StatusCode)
	}
	// More than can be stored is not worth reading.
	_, err = io.CopyN(io.Discard, resp.Body, l.settings.maxEntryBytes+1)
	if err == io.EOF {
		return nil
	}
	return err
}
