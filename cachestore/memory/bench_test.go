package memory_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/maypok86/otter/v2"

	"github.com/headgate-go/headgate/cachestore/memory"
)

const benchKeys = 1 << 12

// benchGet measures reads of the same keys in plain otter and in the store: a Get through the store may cost at
// most 50 ns and one allocation more.
func benchGet(b *testing.B, run func(b *testing.B, get func(i int) bool)) {
	ctx := context.Background()
	keys := make([]string, benchKeys)
	for i := range keys {
		keys[i] = fmt.Sprintf("https://api.example.com/v1/items/%d", i)
	}
	value := &page{body: make([]byte, 1024)}

	b.Run("otter", func(b *testing.B) {
		plain := otter.Must(&otter.Options[string, *page]{
			MaximumWeight: 64 << 20,
			Weigher:       func(string, *page) uint32 { return 1024 },
		})
		for _, k := range keys {
			plain.Set(k, value)
		}
		plain.CleanUp()
		run(b, func(i int) bool { _, ok := plain.GetIfPresent(keys[i%benchKeys]); return ok })
	})
	for _, bench := range []struct {
		name    string
		options []store.Option
	}{
		{"store", nil},
		{"store_with_ttl", []store.Option{store.WithExpiration(time.Hour)}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			s := newStore(b, memory.DefaultConfig())
			for _, k := range keys {
				if err := s.Set(ctx, k, value, bench.options...); err != nil {
					b.Fatal(err)
				}
			}
			s.Stats()
			run(b, func(i int) bool { _, err := s.Get(ctx, keys[i%benchKeys]); return err == nil })
		})
	}
	b.Run("store_miss", func(b *testing.B) {
		s := newStore(b, memory.DefaultConfig())
		run(b, func(i int) bool { _, err := s.Get(ctx, keys[i%benchKeys]); return err != nil })
	})
}

func BenchmarkGet(b *testing.B) {
	benchGet(b, func(b *testing.B, get func(int) bool) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if !get(i) {
				b.Fatal("unexpected answer")
			}
		}
	})
}

func BenchmarkGetParallel(b *testing.B) {
	benchGet(b, func(b *testing.B, get func(int) bool) {
		b.ReportAllocs()
		var next atomic.Int64
		b.RunParallel(func(pb *testing.PB) {
			for i := int(next.Add(997)); pb.Next(); i++ {
				if !get(i) {
					b.Error("unexpected answer")
					return
				}
			}
		})
	})
}

func BenchmarkSet(b *testing.B) {
	ctx := context.Background()
	keys := make([]string, 1<<16)
	for i := range keys {
		keys[i] = fmt.Sprintf("https://api.example.com/v1/items/%d", i)
	}
	value := &page{body: make([]byte, 1024)}
	b.Run("otter", func(b *testing.B) {
		plain := otter.Must(&otter.Options[string, *page]{
			MaximumWeight: 64 << 20,
			Weigher:       func(string, *page) uint32 { return 1024 },
		})
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			plain.Set(keys[i%len(keys)], value)
		}
	})
	for _, bench := range []struct {
		name    string
		options []store.Option
	}{
		{"store", nil},
		{"store_with_ttl", []store.Option{store.WithExpiration(time.Hour)}},
		{"store_with_tag", []store.Option{store.WithTags([]string{"a"})}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			s := newStore(b, memory.DefaultConfig())
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := s.Set(ctx, keys[i%len(keys)], value, bench.options...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
