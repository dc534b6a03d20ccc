package main

import (
	"strings"
	"testing"
)

// BenchmarkSerial is one caller.
func BenchmarkSerial(b *testing.B) {
	for _, r := range rigs(b) {
		b.Run(r.name(), func(b *testing.B) {
			req := request()
			b.ReportAllocs()
			for b.Loop() {
				if err := call(r.rt, req); err != nil && r.stage != refusal {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkContended is 32 callers for each processor.
func BenchmarkContended(b *testing.B) {
	for _, r := range rigs(b) {
		b.Run(r.name(), func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				req := request()
				for pb.Next() {
					if err := call(r.rt, req); err != nil && r.stage != refusal {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

func (r rig) name() string { return strings.ReplaceAll(r.stage+"/"+r.client, " ", "+") }
