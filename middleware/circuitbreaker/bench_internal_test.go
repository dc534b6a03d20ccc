package circuitbreaker

import (
	"net/http"
	"testing"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// BenchmarkBreaker measures the stage's own part of a call, without the
// exchange and the chain: finding the key, admission and settlement.
func BenchmarkBreaker(b *testing.B) {
	good := middleware.End{Outcome: middleware.Outcome{Verdict: middleware.Success}}
	for name, change := range map[string]func(*Config){
		"window of time":  func(*Config) {},
		"window of calls": func(c *Config) { c.WindowCalls = 100 },
	} {
		cfg := DefaultConfig()
		change(&cfg)
		s, err := New(cfg)
		if err != nil {
			b.Fatal(err)
		}
		call := func(req *http.Request) {
			set := s.settings.Load()
			br := s.breakers.Get(set.key(req))
			token, _, _ := br.admit(req, set)
			br.Settle(token, good)
		}
		b.Run(name+"/serial", func(b *testing.B) {
			req, _ := http.NewRequest("GET", "http://api.example.com/", nil)
			b.ReportAllocs()
			for b.Loop() {
				call(req)
			}
		})
		b.Run(name+"/contended", func(b *testing.B) {
			b.SetParallelism(32) // 64 goroutines on 2 cores
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				req, _ := http.NewRequest("GET", "http://api.example.com/", nil)
				for pb.Next() {
					call(req)
				}
			})
		})
	}
	b.Run("clock", func(b *testing.B) {
		epoch := time.Now()
		for b.Loop() {
			_ = time.Since(epoch)
		}
	})
}
