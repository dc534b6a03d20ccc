package main

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// measured is the best of one benchmark's rounds: what else a machine does can make
// a round slower, but never faster.
type measured struct {
	stage, client string
	contended     bool
	ns, allocs    float64
}

// BenchmarkSerial/retry/rehttp-2   1000   120.5 ns/op   64 B/op   2 allocs/op
var line = regexp.MustCompile(`^Benchmark(Serial|Contended)/([^/]+)/(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op.*\s(\d+) allocs/op`)

// parse reads what go test printed. The benchmarks keep their order.
func parse(r io.Reader) ([]measured, error) {
	type benchmark struct {
		stage, client string
		contended     bool
	}
	place := map[benchmark]int{}
	var all []measured
	scan := bufio.NewScanner(r)
	for scan.Scan() {
		m := line.FindStringSubmatch(scan.Text())
		if m == nil {
			continue
		}
		words := func(s string) string { return strings.ReplaceAll(s, "+", " ") }
		b := benchmark{stage: words(m[2]), client: words(m[3]), contended: m[1] == "Contended"}
		ns, err := strconv.ParseFloat(m[4], 64)
		if err != nil {
			return nil, err
		}
		allocs, err := strconv.ParseFloat(m[5], 64)
		if err != nil {
			return nil, err
		}
		i, known := place[b]
		if !known {
			i, place[b] = len(all), len(all)
			all = append(all, measured{b.stage, b.client, b.contended, ns, allocs})
		}
		all[i].ns, all[i].allocs = min(all[i].ns, ns), min(all[i].allocs, allocs)
	}
	if err := scan.Err(); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("go test printed no benchmark")
	}
	return all, nil
}
