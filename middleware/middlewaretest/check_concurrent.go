package middlewaretest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
)

// concurrent: 64 callers at once, each of whom gets its own answers.
func concurrent(tb testing.TB, e *env) {
	r := e.rig(tb, digest())
	ctx := r.context()
	var callers sync.WaitGroup
	for caller := range rounds {
		callers.Go(func() {
			for i := range 4 {
				data := fmt.Appendf(nil, "caller %d, call %d", caller, i)
				if err := ask(r.rt, r.request(ctx, http.MethodPost, bytes.NewReader(data)), digestOf(data)); err != nil {
					tb.Errorf("%s: %v", data, err)
					return
				}
			}
		})
	}
	callers.Wait()
}

// ask sends a request and compares the answer's body. Unlike the rig's methods it may be called from any goroutine.
func ask(rt http.RoundTripper, req *http.Request, want string) error {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if string(got) != want {
		return fmt.Errorf("the answer is %s, want %q", brief(got), want)
	}
	return nil
}
