package middleware

import (
	"bytes"
	"io"
	"net/http"
)

// Peek reads at most limit bytes of resp's body and leaves the response as if
// nothing had been read: what was read comes again before the rest. It reads
// until there are limit bytes, or the body ends or fails; how long that may
// take is for the caller to bound.
func Peek(resp *http.Response, limit Bytes) []byte {
	if resp.Body == nil || resp.Body == http.NoBody || limit <= 0 {
		return nil
	}
	head, err := io.ReadAll(io.LimitReader(resp.Body, int64(limit)))
	rest := io.Reader(resp.Body)
	if err != nil {
		rest = failing{err}
	}
	resp.Body = &peeked{Reader: io.MultiReader(bytes.NewReader(head), rest), Closer: resp.Body}
	return head
}

// peeked gives back what was read, and closes the body that it came from.
type peeked struct {
	io.Reader
	io.Closer
}

// failing is a body that has failed before.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
