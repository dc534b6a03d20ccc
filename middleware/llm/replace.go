package llm

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/headgate-go/headgate/middleware"
)

// meaning is what an error means that the upstream sent as a success.
func (c *call) meaning(r report, h http.Header) middleware.Outcome {
	status := c.provider.status(r)
	if status == 0 {
		status = http.StatusInternalServerError
	}
	o := c.provider.outcome(&http.Response{StatusCode: status, Header: h}, r)
	o.Reason = ReasonDisguised
	return o
}

// replace gives the response that the upstream should have sent, instead of a
// success that is none. b is what was read of it, nil for nothing.
func (c *call) replace(resp *http.Response, f fault, r report, b *body) (*http.Response, error) {
	var o middleware.Outcome
	var text []byte
	kind := EventDisguised
	switch f {
	case faultError:
		o = c.meaning(r, resp.Header)
		text = errorBody(b.ahead)
		c.counts.disguised.Add(1)
	case faultEmpty:
		// The upstream let the request wait and then gave it up: nothing was done.
		o = middleware.Outcome{Verdict: middleware.Failure, Processing: middleware.Unprocessed, Reason: ReasonEmpty, Status: http.StatusBadGateway}
		o.RetryAfter, o.Hinted = middleware.RetryAfter(resp.Header)
		kind = EventEmpty
		c.counts.empty.Add(1)
	default:
		o = middleware.Outcome{Verdict: middleware.Failure, Reason: ReasonCut, Status: http.StatusBadGateway}
		kind = EventCut
		c.counts.cut.Add(1)
	}
	if text == nil {
		text = []byte(`{"error":{"message":` + strconv.Quote("Headgate: "+messages[f]) + `,"type":"server_error"}}`)
	}
	if b != nil {
		b.settled = true
		_ = b.Close()
	} else if resp.Body != nil {
		_ = resp.Body.Close()
	}
	real := *resp
	real.StatusCode = o.Status
	real.Status = strconv.Itoa(o.Status) + " " + http.StatusText(o.Status)
	if real.Header = resp.Header.Clone(); real.Header == nil {
		real.Header = http.Header{}
	}
	real.Header.Set("Content-Type", "application/json")
	real.Header.Set("Content-Length", strconv.Itoa(len(text)))
	real.ContentLength, real.TransferEncoding = int64(len(text)), nil
	real.Body = io.NopCloser(bytes.NewReader(text))
	c.ex.Decide(o)
	c.report(kind, slog.LevelWarn, o)
	return &real, nil
}

var messages = [...]string{
	faultError: "the upstream sent an error as a success",
	faultEmpty: "the upstream sent an empty answer",
	faultCut:   "the upstream's answer ended before it began",
}

// errorBody gives the error as JSON out of what was read: it is that itself, or
// the data of the last event. nil if it is not JSON.
func errorBody(read []byte) []byte {
	if text := bytes.TrimSpace(read); json.Valid(text) {
		return text
	}
	read = bytes.ReplaceAll(bytes.ReplaceAll(read, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	events := bytes.Split(bytes.TrimSpace(read), []byte("\n\n"))
	var data []byte
	for line := range bytes.Lines(events[len(events)-1]) {
		if value, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			data = append(data, value...)
		}
	}
	if data = bytes.TrimSpace(data); len(data) > 0 && json.Valid(data) {
		return data
	}
	return nil
}
