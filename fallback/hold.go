package fallback

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// hold reads the failed response's body ahead, at most limit bytes, so that its
// connection and permits are free before an answer asks for them too. The
// response stays readable: from memory if that was all, else what was read comes
// first and the body stays open. A body that is not there in time is closed, and
// reading it fails where it broke off.
//
// The timer closes the body, rather than a limit on the exchange end its
// context, because the call goes on with the answers.
func hold(resp *http.Response, limit middleware.Bytes, within time.Duration) {
	body := resp.Body
	if body == nil || body == http.NoBody || limit == 0 {
		return
	}
	if _, writable := body.(io.Writer); writable {
		return // a connection (101), which has no end to read to
	}
	timer := time.AfterFunc(within, func() { _ = body.Close() })
	defer timer.Stop()
	var kept bytes.Buffer
	n, err := io.Copy(&kept, io.LimitReader(body, int64(limit)+1))
	if err == nil && n <= int64(limit) {
		_ = body.Close()
		resp.Body = io.NopCloser(&kept)
		return
	}
	resp.Body = &held{Reader: io.MultiReader(&kept, after{body, err}), Closer: body}
}

// held is a body of which the beginning is in memory.
type held struct {
	io.Reader
	io.Closer
}

// after reads on where the copy ended: with its error, if it broke off.
type after struct {
	body io.Reader
	err  error
}

func (a after) Read(p []byte) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	return a.body.Read(p)
}
