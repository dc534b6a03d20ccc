package middleware

import (
	"io"
	"net/http"
	"strings"
)

// Bounds of Model: what it reads of a body, and how long a name it believes.
const (
	modelScanBound  = 64 * KiB
	modelNameLength = 128
)

// modelKey is what Model found for a call.
type modelKey struct{ authority, key string }

// Model is the key of LLM APIs, which limit each model by itself: the
// authority, a slash and the name of the model. The name stands in the path
// (/deployments/NAME/ of Azure, /models/NAME:generateContent of Google), else it
// is the string "model" of the JSON object in the request's body. Of that at
// most 64 KiB are read, and only of a body that can be had again: one with
// GetBody, or one that a retry, hedge or fallback further out records. A name
// is believed if it has at most 128 letters, digits and ._-:/@+ characters.
// Where there is none, the key is the authority alone.
//
// It looks once for each call and authority. A stage that puts another model in
// place of the caller's has it look again, with ForgetModel.
func Model(req *http.Request) string {
	authority := Authority(req)
	ex := FromContext(req.Context())
	if ex != nil {
		if found := ex.call.model.Load(); found != nil && found.authority == authority {
			return found.key
		}
	}
	name, certain := modelOf(req)
	key := authority
	if name != "" {
		key += "/" + name
	}
	if ex != nil && certain {
		ex.call.model.Store(&modelKey{authority, key})
	}
	return key
}

// ForgetModel has Model look at the next request again. A stage that sends the call
// on with another model calls it before and after: that model has a breaker, limits
// and a budget of its own, also where it is at the same authority.
func (e *Exchange) ForgetModel() { e.call.model.Store(nil) }

// modelOf gives the model's name, "" if there is none. It is certain unless the
// body can't be had here, but further in perhaps.
func modelOf(req *http.Request) (name string, certain bool) {
	if req.URL != nil {
		if name := modelInPath(req.URL.Path); name != "" {
			return name, true
		}
	}
	if !hasBody(req) || !isJSON(req.Header) {
		return "", true
	}
	body, limit, err := again(req)
	if err != nil || body == nil {
		return "", false
	}
	name = scanModel(body, min(limit, modelScanBound))
	_ = body.Close()
	return name, true
}

func modelInPath(path string) string {
	if _, rest, ok := strings.Cut(path, "/deployments/"); ok {
		if name, _, ok := strings.Cut(rest, "/"); ok && isModelName(name) {
			return name
		}
	}
	if _, rest, ok := strings.Cut(path, "/models/"); ok {
		if name, _, ok := strings.Cut(rest, ":"); ok && isModelName(name) {
			return name
		}
	}
	return ""
}

func isModelName(name string) bool {
	if name == "" || len(name) > modelNameLength {
		return false
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte("._-:/@+", c) < 0 {
			return false
		}
	}
	return true
}

// isJSON tells whether a body is JSON as it stands.
func isJSON(h http.Header) bool {
	if len(h["Content-Encoding"]) > 0 || len(h["Content-Type"]) == 0 {
		return false
	}
	typ, _, _ := strings.Cut(h["Content-Type"][0], ";")
	typ = strings.TrimSpace(typ)
	return strings.EqualFold(typ, "application/json") ||
		len(typ) > len("+json") && strings.EqualFold(typ[len(typ)-len("+json"):], "+json")
}

// again gives req's body from its beginning without taking it from who sends
// it, and how much of that may be read.
func again(req *http.Request) (io.ReadCloser, Bytes, error) {
	if req.GetBody != nil {
		body, err := req.GetBody()
		return body, modelScanBound, err
	}
	if r, ok := req.Body.(*tapeReader); ok {
		// Beyond its limit the tape would serve this reader alone.
		body, err := r.tape.reader()
		return body, Bytes(r.tape.limit), err
	}
	return nil, 0, ErrNotReplayable
}
