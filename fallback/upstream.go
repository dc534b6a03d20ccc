package fallback

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate-go/headgate/middleware"
)

// ErrUpstream says that another upstream gave no answer either. It comes within
// an *AnswerError, with its outcome.
var ErrUpstream = errors.New("the upstream gave no answer")

// Secret is a text that no log, error, description or encoding shows.
type Secret string

const redacted = "[redacted]"

// String hides the text.
func (s Secret) String() string { return redacted }

// GoString hides the text.
func (s Secret) GoString() string { return redacted }

// MarshalText hides the text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Upstream sends the request to another upstream that speaks the same API. The
// request passes the stages below, as one to that authority. An error of the
// upstream is no answer, and the next one is tried.
type Upstream struct {
	// Name is how the answer is called in the Headgate-Fallback header. No default.
	Name string `yaml:"name"`
	// URL is the base of the other API: scheme, host and the path in front of the
	// endpoint, "https://api.openai.com/v1" for example. No default.
	URL string `yaml:"url"`
	// Strip is what the paths of requests begin with, and is not part of the
	// endpoint; a path without it is taken as it is. Default none.
	Strip string `yaml:"strip"`
	// Model replaces the member model of a JSON body. Default none: it stays.
	Model string `yaml:"model"`
	// Drop has members of a JSON body that the upstream does not know. Default none.
	Drop []string `yaml:"drop"`
	// CredentialHeader is the header field that Credential goes to. Default none:
	// the request goes without one.
	CredentialHeader string `yaml:"credential_header"`
	// Credential is the value of that field: "Bearer ${env:OPENAI_API_KEY}". It is
	// shown nowhere. Default none.
	Credential Secret `yaml:"credential"`
	// Weight has answers with a weight tried in a random order, those with more of
	// it first more often; 0 keeps the place in the list. Default 0.
	Weight int `yaml:"weight"`
	// BodyBytes bounds what is read of a request's body to rewrite it; with a
	// longer one the answer fails. It is needed with model or drop. Default none.
	BodyBytes middleware.Bytes `yaml:"body_bytes"`
}

const maxWeight = 1_000_000

func (u *Upstream) validate(p *middleware.Problems, key string) {
	p.Check(isName(u.Name) && !slices.Contains(kinds, u.Name), key+".name", "%.40q is not a name; it is made of letters, digits and _ . -, begins with a letter, and is none of %s", u.Name, strings.Join(kinds, ", "))
	base, err := url.Parse(u.URL)
	ok := err == nil && (base.Scheme == "https" || base.Scheme == "http") && base.Host != ""
	p.Check(ok, key+".url", "it is not an absolute URL; write for example https://api.openai.com/v1")
	if ok {
		p.Check(base.User == nil && base.RawQuery == "" && base.Fragment == "", key+".url", "it has more than scheme, host and path; a credential belongs in credential")
		for _, endpoint := range [...]string{"/chat/completions", "/completions", "/messages", "/responses"} {
			p.Check(!strings.HasSuffix(strings.TrimRight(base.Path, "/"), endpoint), key+".url",
				"%s is an endpoint and not the base of an API; leave it out. Requests are not translated: the upstream has to speak the API that they are written for", endpoint)
		}
	}
	p.Check(u.Strip == "" || strings.HasPrefix(u.Strip, "/") && !strings.HasSuffix(u.Strip, "/"), key+".strip", "%.40q is not the beginning of a path; write for example /v1", u.Strip)
	p.Check((u.CredentialHeader == "") == (u.Credential == ""), key+".credential", "credential and credential_header need each other")
	p.Check(u.CredentialHeader == "" || isToken(u.CredentialHeader), key+".credential_header", "%.40q is not the name of a header field; write for example Authorization", u.CredentialHeader)
	p.Check(isFieldValue(string(u.Credential)), key+".credential", "the value holds a control character; a line break at its end, for example")
	p.Check(u.Weight >= 0 && u.Weight <= maxWeight, key+".weight", "%d is out of range; it goes from 0 (the place in the list) to %d", u.Weight, maxWeight)
	rewrites := u.Model != "" || len(u.Drop) > 0
	p.Check(u.BodyBytes > 0 || !rewrites && u.BodyBytes == 0, key+".body_bytes", "%d bytes leave no room to rewrite a body for model or drop; write for example 16MiB", int64(u.BodyBytes))
}

// upstream is an Upstream made ready for use.
type upstream struct {
	Upstream
	base *url.URL
}

func newUpstream(u Upstream) *upstream {
	base, _ := url.Parse(u.URL) // Validate has seen it
	if base.Path == "" {
		base.Path = "/"
	}
	u.Drop = slices.Clone(u.Drop)
	return &upstream{u, base}
}

// Needs asks for time and for the body.
func (u *upstream) Needs() Needs { return Needs{Time: true, Body: true} }

// Answer asks the upstream.
func (u *upstream) Answer(req *http.Request, failure Failure) (*http.Response, error) {
	out := req.Clone(req.Context())
	out.URL = u.base.JoinPath(u.endpoint(req.URL.Path))
	out.Host, out.RequestURI = "", ""
	out.Header = u.header(req.Header)
	if err := u.rewrite(out); err != nil {
		return nil, err
	}
	resp, err := failure.Next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	o := middleware.Classify(resp, nil)
	if ex := middleware.FromContext(out.Context()); ex != nil {
		o = ex.Outcome(resp, nil)
	}
	if o.Verdict != middleware.Success {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("%w: %s", ErrUpstream, o.Verdict.String()+" "+strconv.Itoa(resp.StatusCode))
	}
	return resp, nil
}

// endpoint is the path behind the base of an API.
func (u *upstream) endpoint(path string) string {
	if rest, ok := strings.CutPrefix(path, u.Strip); ok && (rest == "" || rest[0] == '/') {
		return rest
	}
	return path
}

// passes are the header fields that another upstream gets. All others may be
// the primary's own: credentials, accounts, cookies.
var passes = []string{"Accept", "Accept-Language", "Anthropic-Version", "Content-Type", "Idempotency-Key", "Traceparent", "Tracestate", "User-Agent"}

func (u *upstream) header(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		if slices.Contains(passes, name) || strings.HasPrefix(name, "X-Stainless-") {
			out[name] = slices.Clone(values)
		}
	}
	if u.CredentialHeader != "" {
		out.Set(u.CredentialHeader, string(u.Credential))
	}
	return out
}
