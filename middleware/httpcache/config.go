package httpcache

import (
	"net/http"
	"net/textproto"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/headgate-go/headgate/cachestore/memory"
	"github.com/headgate-go/headgate/middleware"
)

// StoreMemory names the default store: the memory of this process.
const StoreMemory = "memory"

// Config is the stage's settings.
type Config struct {
	// Store names where answers are kept. New makes "memory" itself; any other,
	// which can be any gocache store, is handed over with WithStore (package pipeline
	// does that). Default "memory".
	Store string `yaml:"store"`
	// MaxBytes bounds the memory store, bodies, headers and bookkeeping together. Bytes. Default 64MiB.
	MaxBytes middleware.Bytes `yaml:"max_bytes"`
	// MaxEntryBytes bounds the answers kept for one key, and what is held of a
	// body that is being recorded; a longer one passes and is not stored. Bytes,
	// at most max_bytes. Default 8MiB.
	MaxEntryBytes middleware.Bytes `yaml:"max_entry_bytes"`
	// InlineBytes is up to which length a body is kept with the rest of an answer
	// in a byte store, so that a hit is one read. Bytes, at most 1MiB. Default 16KiB.
	InlineBytes middleware.Bytes `yaml:"inline_bytes"`
	// KeepStale is how long a byte store keeps an answer after it is stale, to ask
	// the upstream whether it is still good. The memory store keeps it until it needs
	// the room. Default 24h.
	KeepStale time.Duration `yaml:"keep_stale"`
	// StoreTimeout bounds each read and write of a byte store; then the call goes on
	// as if nothing were stored. Default 500ms.
	StoreTimeout time.Duration `yaml:"store_timeout"`
	// PurgeWithin is how soon an invalidation or a purge by another process over
	// the same byte store takes effect; the shorter, the more often the store is asked.
	// 0 asks at every hit. Default 1s.
	PurgeWithin time.Duration `yaml:"purge_within"`
	// TagHeader is the answer's header field that names the tags to purge it by,
	// between commas or blanks, for example Cache-Tag or Surrogate-Key. Empty: none. Default empty.
	TagHeader string `yaml:"tag_header"`
	// MaxRecordingBytes bounds what is held of all bodies together that are being
	// recorded. Beyond, a body passes and is not stored. Bytes, at least
	// max_entry_bytes. Default 64MiB.
	MaxRecordingBytes middleware.Bytes `yaml:"max_recording_bytes"`
	// MaxVariants bounds how many answers that differ by Vary are kept of one resource; the newest stay. Default 8.
	MaxVariants int `yaml:"max_variants"`
	// Shared makes it a shared cache by the rules of RFC 9111: s-maxage counts,
	// private answers and those with Set-Cookie are not stored, and answers to
	// requests with Authorization only if they allow it. per_credential then
	// holds for body-keyed requests alone. Default false: a private cache.
	Shared bool `yaml:"shared"`
	// PerCredential keeps the answers to requests with different credentials
	// apart. Default true.
	PerCredential bool `yaml:"per_credential"`
	// CredentialHeaders are the request header fields that are credentials. Their
	// values are hashed. Default Authorization, Cookie, X-Api-Key, Api-Key, X-Goog-Api-Key.
	CredentialHeaders []string `yaml:"credential_headers"`
	// HeuristicMax bounds the freshness of answers that do not say how long they
	// are fresh but when they were last modified: a tenth of the time since
	// (RFC 9111, section 4.2.2). 0 switches that off. Default 24h.
	HeuristicMax time.Duration `yaml:"heuristic_max"`
	// Coalesce lets concurrent misses of one key wait for a single upstream
	// request and share its answer. Default true.
	Coalesce bool `yaml:"coalesce"`
	// MaxContentBytes bounds the request content that is read to make a key; a
	// request with more bypasses the cache. Bytes. Default 1MiB.
	MaxContentBytes middleware.Bytes `yaml:"max_content_bytes"`
	// ContentTTL is how long answers to requests that Cacheable opted in are fresh. Default 1h.
	ContentTTL time.Duration `yaml:"content_ttl"`
	// ContentHeaders are the request header fields that are part of a content's
	// key, besides Content-Type, Content-Encoding and the credentials. Default
	// Accept, Accept-Language, Anthropic-Version, Anthropic-Beta, Openai-Organization,
	// Openai-Project, Openai-Beta.
	ContentHeaders []string `yaml:"content_headers"`
	// Routes opt requests in to body-keyed caching; the first that matches counts. Default none.
	Routes []Route `yaml:"routes"`
	// StaleWhileRevalidate is for how long a stale answer is served at once, while
	// it is refreshed in the background (RFC 5861), if the answer does not say so
	// itself. Default 0: only as answers say.
	StaleWhileRevalidate time.Duration `yaml:"stale_while_revalidate"`
	// StaleIfError is for how long a stale answer stands in for an upstream that
	// can't be reached or answers 500, 502, 503 or 504 (RFC 5861), if neither the
	// answer nor the request says so itself. Default 0: only as they say.
	StaleIfError time.Duration `yaml:"stale_if_error"`
	// MaxRefreshes bounds how many answers are refreshed in the background at
	// once; beyond, a stale answer is served and not refreshed. Default 16.
	MaxRefreshes int `yaml:"max_refreshes"`
	// RefreshTimeout bounds a refresh in the background, its body included. Default 30s.
	RefreshTimeout time.Duration `yaml:"refresh_timeout"`
	// StatusKey has Cache-Status say which key a request has: the first 16
	// hexadecimal digits of its SHA-256. Default false.
	StatusKey bool `yaml:"status_key"`
	// TargetedHeaders are the response header fields with directives for this
	// cache in particular (RFC 9213), the first one first: CDN-Cache-Control for
	// example. The first that is valid takes the place of Cache-Control and Expires. Default none.
	TargetedHeaders []string `yaml:"targeted_headers"`
	// Query has answers to QUERY (RFC 10008) stored by the rules for GET, under the
	// request's content. Default false.
	Query bool `yaml:"query"`
	// CacheGroups has the fields Cache-Groups and Cache-Group-Invalidation (RFC
	// 9875) obeyed: an unsafe request can invalidate a group of answers. Default false.
	CacheGroups bool `yaml:"cache_groups"`
}

// Route opts the requests that match all of it in to body-keyed caching.
type Route struct {
	// Method is the request's method, POST as a rule.
	Method string `yaml:"method"`
	// Host is the request's host, or a pattern such as *.example.com; with a
	// port if it is not the scheme's default. Empty: any.
	Host string `yaml:"host"`
	// Path is the request's path, or a pattern: * stands for anything but a
	// slash, and a trailing /** for everything below. Empty: any.
	Path string `yaml:"path"`
	// ContentType is the media type of the request's content, without parameters. Empty: any.
	ContentType string `yaml:"content_type"`
	// TTL is how long an answer is fresh.
	TTL time.Duration `yaml:"ttl"`
	// Statuses are those of the answers to store. Empty: 200 alone.
	Statuses []int `yaml:"statuses"`
	// TTLJitter shortens each answer's ttl by a random part of it, up to this
	// one, so that what was stored together is not asked for together again. 0 to 1. 0: none.
	TTLJitter float64 `yaml:"ttl_jitter"`
	// CanonicalJSON gives JSON contents one key that differ in whitespace, in the
	// order of members or in how strings are escaped alone. Numbers count as they are
	// written. What has duplicate members is its own key, byte for byte.
	CanonicalJSON bool `yaml:"canonical_json"`
	// IgnoreFields are members of the JSON content that are left out of the key,
	// as paths of names between dots: user, metadata.trace_id. Only with
	// canonical_json. Whatever may change the answer does not belong here.
	IgnoreFields []string `yaml:"ignore_fields"`
	// Pace is the pause before each event but the first of a stored stream
	// (text/event-stream) that is replayed. 0: at once.
	Pace time.Duration `yaml:"pace"`
}

// DefaultConfig is a private cache of 64 MiB in memory for GET and HEAD, with coalescing.
func DefaultConfig() Config {
	return Config{
		Store:             StoreMemory,
		MaxBytes:          64 * middleware.MiB,
		MaxEntryBytes:     8 * middleware.MiB,
		InlineBytes:       16 * middleware.KiB,
		KeepStale:         24 * time.Hour,
		StoreTimeout:      500 * time.Millisecond,
		PurgeWithin:       time.Second,
		MaxRecordingBytes: 64 * middleware.MiB,
		MaxVariants:       8,
		PerCredential:     true,
		CredentialHeaders: []string{"Authorization", "Cookie", "X-Api-Key", "Api-Key", "X-Goog-Api-Key"},
		HeuristicMax:      24 * time.Hour,
		Coalesce:          true,
		MaxContentBytes:   middleware.MiB,
		ContentTTL:        time.Hour,
		ContentHeaders: []string{
			"Accept", "Accept-Language", "Anthropic-Version", "Anthropic-Beta",
			"Openai-Organization", "Openai-Project", "Openai-Beta",
		},
		MaxRefreshes:   16,
		RefreshTimeout: 30 * time.Second,
	}
}

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var p middleware.Problems
	p.Check(c.Store != "", "store", "it is empty; write %q or the name of a store", StoreMemory)
	size := memory.Config{MaxBytes: c.MaxBytes, MaxEntryBytes: c.MaxEntryBytes}
	p.Check(c.MaxBytes >= middleware.KiB, "max_bytes", "%v is too small; write for example 64MiB", c.MaxBytes)
	p.Check(c.MaxBytes < middleware.KiB || size.Validate() == nil, "max_entry_bytes",
		"%v is out of range; it can be from 1KiB to max_bytes (%v), and less than 4GiB", c.MaxEntryBytes, c.MaxBytes)
	c.checkStorage(&p)
	p.Check(c.MaxVariants >= 1, "max_variants", "%d is too small; 1 keeps the newest alone", c.MaxVariants)
	p.Check(!c.PerCredential || len(c.CredentialHeaders) > 0, "credential_headers",
		"it is empty; name the fields, or set per_credential to false")
	checkFields(&p, "credential_headers", c.CredentialHeaders)
	checkFields(&p, "content_headers", c.ContentHeaders)
	p.Check(c.HeuristicMax >= 0, "heuristic_max", "%v is negative; 0 switches heuristic freshness off", c.HeuristicMax)
	p.Check(c.MaxContentBytes > 0 && c.MaxContentBytes <= middleware.GiB, "max_content_bytes",
		"%v is out of range; write for example 1MiB, at most 1GiB", c.MaxContentBytes)
	p.Check(c.ContentTTL > 0, "content_ttl", "%v is no time at all; write for example 1h", c.ContentTTL)
	for i, r := range c.Routes {
		r.check(&p, i)
	}
	p.Check(c.StaleWhileRevalidate >= 0, "stale_while_revalidate", "%v is negative; 0 leaves it to the answers", c.StaleWhileRevalidate)
	p.Check(c.StaleIfError >= 0, "stale_if_error", "%v is negative; 0 leaves it to the answers and requests", c.StaleIfError)
	p.Check(c.MaxRefreshes >= 1, "max_refreshes", "%d is too small; 1 refreshes one answer at a time", c.MaxRefreshes)
	p.Check(c.RefreshTimeout > 0, "refresh_timeout", "%v is no time at all; write for example 30s", c.RefreshTimeout)
	checkFields(&p, "targeted_headers", c.TargetedHeaders)
	return p.Err()
}

func checkFields(p *middleware.Problems, name string, fields []string) {
	for _, f := range fields {
		p.Check(f != "" && tokenEnd(f) == len(f), name, "%q is no name of a header field", f)
	}
}

func (r Route) check(p *middleware.Problems, i int) {
	p.Check(r.Method != "" && tokenEnd(r.Method) == len(r.Method), "routes", "route %d: method: %q is no method; write POST", i+1, r.Method)
	_, err := path.Match(strings.ToLower(r.Host), "")
	p.Check(err == nil, "routes", "route %d: host: %q is no pattern; write for example api.example.com or *.example.com", i+1, r.Host)
	_, err = path.Match(strings.TrimSuffix(r.Path, "/**"), "")
	p.Check(err == nil && (r.Path == "" || r.Path[0] == '/'), "routes", "route %d: path: %q is no pattern; write for example /v1/chat/* or /v1/**", i+1, r.Path)
	p.Check(!strings.ContainsAny(r.ContentType, "; ,"), "routes", "route %d: content_type: %q is more than a media type; write for example application/json", i+1, r.ContentType)
	p.Check(r.TTL > 0, "routes", "route %d: ttl: %v is no time at all; write for example 1h", i+1, r.TTL)
	p.Check(r.TTLJitter >= 0 && r.TTLJitter < 1, "routes", "route %d: ttl_jitter: %v is out of range; it can be from 0 to less than 1", i+1, r.TTLJitter)
	p.Check(len(r.IgnoreFields) == 0 || r.CanonicalJSON, "routes", "route %d: ignore_fields: only with canonical_json: true", i+1)
	p.Check(!slices.Contains(r.IgnoreFields, "stream"), "routes", "route %d: ignore_fields: stream can't be left out: a stream is no answer to who wants none", i+1)
	p.Check(!slices.Contains(r.IgnoreFields, ""), "routes", "route %d: ignore_fields: one is empty; write for example user or metadata.trace_id", i+1)
	p.Check(r.Pace >= 0, "routes", "route %d: pace: %v is negative; 0 replays at once", i+1, r.Pace)
	for _, s := range r.Statuses {
		p.Check(s >= 200 && s <= 599 && s != http.StatusPartialContent && s != http.StatusNotModified, "routes",
			"route %d: statuses: %d cannot be stored; 200 as a rule", i+1, s)
	}
}

func canonicalFields(names []string) []string {
	out := canonicalNames(names)
	slices.Sort(out)
	return slices.Compact(out)
}

func canonicalNames(names []string) []string {
	out := make([]string, 0, len(names))
	for _, n := range names {
		out = append(out, textproto.CanonicalMIMEHeaderKey(n))
	}
	return out
}
