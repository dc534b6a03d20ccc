package middlewaretest_test

import (
	"io"
	"testing"

	. "github.com/headgate-go/headgate/middleware/middlewaretest"
)

// BenchmarkUpstream is what one request costs in a process that is client and upstream at once, as the
// quickstart is: it bounds the load that can be offered on a machine.
func BenchmarkUpstream(b *testing.B) {
	cfg := DefaultConfig()
	cfg.Script = Always(Text(200, "hello"))
	up, err := Start(cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer up.Close()
	client := up.Client()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			resp, err := client.Get(up.URL)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
}
