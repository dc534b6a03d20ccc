package middlewaretest

import (
	"bytes"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// requestUnmodified: the caller's request is afterwards what it was before, to the identity of its maps, body and context.
func requestUnmodified(tb testing.TB, e *env) {
	for _, answer := range []Answer{normal(), Text(http.StatusServiceUnavailable, "server busy"), {Fault: Reset}} {
		r := e.rig(tb, Always(answer))
		req := r.request(r.context(), http.MethodPost, strings.NewReader("a body"))
		req.URL.RawQuery = "key=value"
		req.Host = "api.example.test"
		req.Header = http.Header{"Authorization": {"Bearer token"}, "X-Many": {"one", "two"}}
		before := takeSnapshot(req)
		out := r.try(req)
		if out.resp != nil {
			_, _ = r.read(out.resp)
		}
		for _, difference := range before.differences(req) {
			tb.Errorf("after status %d, fault %d: the request's %s changed", answer.status(), answer.Fault, difference)
		}
	}
}

// snapshot is a request as it was: the same references, and copies of what they refer to.
type snapshot struct {
	shallow http.Request
	url     url.URL
	header  http.Header
}

func takeSnapshot(req *http.Request) snapshot {
	return snapshot{shallow: *req, url: *req.URL, header: req.Header.Clone()}
}

func (s snapshot) differences(req *http.Request) []string {
	var out []string
	before, after := reflect.ValueOf(&s.shallow).Elem(), reflect.ValueOf(req).Elem()
	for i := range before.NumField() {
		field := before.Type().Field(i)
		if field.IsExported() && !same(before.Field(i), after.Field(i)) {
			out = append(out, field.Name)
		}
	}
	if s.shallow.Context() != req.Context() {
		out = append(out, "context")
	}
	if !reflect.DeepEqual(s.url, *req.URL) {
		out = append(out, "URL's contents")
	}
	if !reflect.DeepEqual(s.header, req.Header) {
		out = append(out, "Header's contents")
	}
	return out
}

// same compares references by identity and values by content.
func same(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Func, reflect.Chan:
		return a.Pointer() == b.Pointer()
	default:
		return reflect.DeepEqual(a.Interface(), b.Interface())
	}
}

// requestArrives: what the caller asks for is what the upstream is asked for. More headers are allowed.
func requestArrives(tb testing.TB, e *env) {
	r := e.rig(tb, Always(normal()))
	req := r.request(r.context(), http.MethodPut, bytes.NewReader(pattern(100)))
	req.URL.RawQuery = "q=1&q=2&empty="
	req.Host = "api.example.test"
	req.Header = http.Header{"Authorization": {"Bearer token"}, "X-Many": {"one", "two"}, "Content-Type": {"application/x-test"}}
	want := req.URL.RequestURI()
	r.wants(r.must(req), normal().Body)

	seen := r.up.Requests()
	if len(seen) != 1 {
		tb.Fatalf("the upstream saw %d requests, want 1", len(seen))
	}
	got := seen[0]
	if got.Method != http.MethodPut || got.Target != want || got.Host != "api.example.test" || got.ContentLength != 100 {
		tb.Errorf("the upstream saw %s %s for %s with %d bytes, want PUT %s for api.example.test with 100",
			got.Method, got.Target, got.Host, got.ContentLength, want)
	}
	for key, values := range req.Header {
		if !reflect.DeepEqual(got.Header[key], values) {
			tb.Errorf("the upstream saw %s: %q, want %q", key, got.Header[key], values)
		}
	}
}

// requestReusable: a request without a body can be sent again when its response is over.
func requestReusable(tb testing.TB, e *env) {
	r := e.rig(tb, Always(normal()))
	req := r.request(r.context(), http.MethodGet, nil)
	for range 3 {
		r.wants(r.must(req), normal().Body)
	}
}
