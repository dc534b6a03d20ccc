package fallback

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/headgate-go/headgate/middleware"
)

// Errors of a request whose body can't be rewritten for another upstream.
var (
	// ErrTooLong says that the body is longer than body_bytes.
	ErrTooLong = errors.New("the request's body is longer than body_bytes")
	// ErrNotJSON says that the body is no JSON object.
	ErrNotJSON = errors.New("the request's body is not a JSON object")
)

// rewrite gives the request the body that the upstream understands.
func (u *upstream) rewrite(req *http.Request) error {
	if u.Model == "" && len(u.Drop) == 0 || req.Body == nil || req.Body == http.NoBody {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(req.Body, int64(u.BodyBytes)+1))
	middleware.CloseBody(req)
	switch {
	case err != nil:
		return err
	case len(text) > int(u.BodyBytes):
		return ErrTooLong
	}
	if text, err = u.edit(text); err != nil {
		return err
	}
	req.ContentLength, req.TransferEncoding = int64(len(text)), nil
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
	req.Body, _ = req.GetBody()
	return nil
}

// edit replaces and drops members of the object, and leaves the others in their
// order and as they are.
func (u *upstream) edit(text []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, ErrNotJSON
	}
	out := bytes.NewBuffer(make([]byte, 0, len(text)+len(u.Model)))
	for dec.More() {
		t, err := dec.Token()
		key, ok := t.(string)
		var value json.RawMessage
		if err != nil || !ok || dec.Decode(&value) != nil {
			return nil, ErrNotJSON
		}
		switch {
		case slices.Contains(u.Drop, key):
			continue
		case key == "model" && u.Model != "":
			value, _ = json.Marshal(u.Model) // a string can always be encoded
		}
		name, _ := json.Marshal(key)
		separator := byte(',')
		if out.Len() == 0 {
			separator = '{'
		}
		out.WriteByte(separator)
		fmt.Fprintf(out, "%s:%s", name, value)
	}
	if _, err := dec.Token(); err != nil {
		return nil, ErrNotJSON
	}
	if out.Len() == 0 {
		out.WriteByte('{')
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}
