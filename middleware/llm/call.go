package llm

import (
	"io"
	"log/slog"
	"net/http"

	"github.com/headgate-go/headgate/middleware"
)

// call is one request on its way through the stage.
type call struct {
	stage    *LLM
	cfg      *settings
	provider *provider
	ex       *middleware.Exchange
	req      *http.Request
	info     middleware.RequestInfo
	key      string
	counts   *counts
}

// answer looks at a response and gives what goes on.
func (c *call) answer(resp *http.Response) (*http.Response, error) {
	switch {
	case resp.StatusCode >= 400:
		return c.failed(resp)
	case resp.StatusCode != http.StatusOK || c.req.Method == http.MethodHead:
		return resp, nil
	}
	label, strict := labelOf(resp.Header), c.req.Method == http.MethodPost
	if label == labelOther || label == labelNone && !strict {
		return resp, nil
	}
	if isEmpty(resp) {
		if strict {
			return c.replace(resp, faultEmpty, report{}, nil)
		}
		return resp, nil
	}
	b := &body{src: resp.Body, call: c, choose: c.chooser(label, strict), trims: strict && label != labelNone}
	c.ex.ReportsProgress()
	resp.Body = b
	if c.cfg.Hold.Time > 0 && !b.hold(int(c.cfg.Hold.Bytes), c.cfg.Hold.Time) {
		return nil, c.ex.Err()
	}
	if c.cfg.Hold.Time == 0 || !b.isAhead() { // let go at the bound
		unmeasured(resp)
		return resp, nil
	}
	if !b.began() && b.ended != nil {
		if f := b.format; f != nil && f.read().fault != faultless {
			return c.replace(resp, f.read().fault, f.read().told, b)
		}
		if b.ended != io.EOF { // the connection broke before the answer began
			_ = b.Close()
			return nil, b.ended
		}
	}
	if _, isDocument := b.format.(*document); b.dropped || !isDocument {
		unmeasured(resp)
	}
	return resp, nil
}

// unmeasured takes the length off a response of which parts may be left out.
func unmeasured(resp *http.Response) {
	if resp.ContentLength >= 0 {
		resp.ContentLength = -1
		resp.Header = resp.Header.Clone()
		resp.Header.Del("Content-Length")
	}
}

// chooser tells how to read an answer by what it is labelled as and by its first byte.
func (c *call) chooser(l label, strict bool) func(byte) format {
	d := c.provider.dialect
	return func(first byte) format {
		switch {
		case first == '{' || first == '[':
			return newDocument(d.paths, strict)
		case l == labelEvents, (l == labelJSON || c.info.Stream) && isField(first):
			return newEvents(d, strict)
		case l == labelJSON || first == 0:
			return newDocument(d.paths, strict)
		}
		return &plain{}
	}
}

// isField tells whether a line of server-sent events can begin like that: data,
// event, id, retry, or a comment. JSON never does.
func isField(c byte) bool {
	return c == ':' || c == 'd' || c == 'e' || c == 'i' || c == 'r'
}

// failed decides what an error means.
func (c *call) failed(resp *http.Response) (*http.Response, error) {
	var told report
	l := labelOf(resp.Header)
	if c.cfg.ErrorBytes > 0 && l != labelOther && !isEmpty(resp) && c.req.Method != http.MethodHead {
		b := &body{src: resp.Body, call: c, settled: true, format: newProblem(c.provider.dialect.paths)}
		resp.Body = b
		if !b.hold(int(c.cfg.ErrorBytes), c.cfg.ErrorTime) {
			return nil, c.ex.Err()
		}
		b.mu.Lock()
		told = b.format.read().doc.facts.report()
		b.mu.Unlock()
	}
	c.ex.Decide(c.provider.outcome(resp, told))
	return resp, nil
}

// failure gives the error of an answer that is let go already.
func (c *call) failure(r *reading) error {
	err := &Error{Stage: c.stage.reporter.Stage}
	switch r.fault {
	case faultError:
		err.Err, err.Outcome = ErrUpstream, c.meaning(r.told, nil)
	case faultEmpty:
		err.Err = ErrEmpty
	default:
		err.Err = ErrCut
	}
	return err
}

// settle counts an answer and tells what it took. passed says that the caller
// has all that came of it.
func (c *call) settle(r *reading, passed bool) {
	u, told := r.doc.facts.tokens.usage(), r.doc.facts.counted
	wasted := 0
	if !r.done || !passed || r.fault != faultless {
		u.Output = max(u.Output, r.deltas) // an event has a token or a few
		if wasted = u.Total(); !told {
			wasted = c.info.Units - c.cfg.outputOf(c.info) + u.Output
		}
	}
	if told {
		c.ex.ReportUsage(u)
	}
	c.counts.answer(r, u, max(0, wasted))
	if !c.stage.reporter.Enabled() {
		return
	}
	switch r.fault {
	case faultCut, faultEmpty:
		c.report(EventCut, slog.LevelWarn, middleware.Outcome{})
	case faultError:
		c.report(EventFailed, slog.LevelWarn, c.meaning(r.told, nil))
	}
	if told {
		c.report(EventUsage, slog.LevelDebug, middleware.Outcome{},
			slog.Int("input", u.Input), slog.Int("cached", u.Cached), slog.Int("output", u.Output), slog.Int("wasted", wasted))
	}
}

func (c *call) report(kind string, level slog.Level, o middleware.Outcome, attrs ...slog.Attr) {
	if c.stage.reporter.Enabled() {
		c.stage.reporter.Report(c.ex, middleware.Event{Kind: kind, Level: level, Key: c.key, Attempt: c.ex.Attempt(), Outcome: o, Attrs: attrs})
	}
}

func (t *tokens) usage() middleware.Usage {
	return middleware.Usage{
		Input:  t.input + t.cacheRead + t.cacheWrite,
		Cached: t.cached + t.cacheRead,
		Output: t.output + t.more,
	}
}
