package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/report"
)

func main() {
	testing.Init()
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "cache:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("cache", flag.ContinueOnError)
	flags.SetOutput(stderr)
	rounds := flags.Int("rounds", 3, "how often each is measured; the best round counts")
	benchtime := flags.String("benchtime", "0.2s", "how long each measurement takes, as for go test")
	results := flags.String("results", "", "put the tables into this `page` too")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if err := flag.Set("test.benchtime", *benchtime); err != nil {
		return err
	}
	costs := costTable(*rounds)
	behaviour, err := behaviourTable(*rounds)
	if err != nil {
		return err
	}
	text := costs.String() + "\n" + behaviour.String() + "\n" + notes
	if *results != "" {
		command := strings.TrimSpace("go run ./cache " + strings.Join(args, " "))
		page := fmt.Sprintf("%s\n\n`%s` in docs/benchmarks, on %s.", text, command, report.Machine())
		if err := report.Replace(*results, "cache", page); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(stdout, text)
	return err
}

// costTable measures the clients in turn, so that what else the machine does spoils a round and not a client.
func costTable(rounds int) *report.Table {
	t := &report.Table{Head: []string{"", "client", "time", "factor", "allocations", "bytes"}}
	for _, task := range tasks {
		best := map[string]cost{}
		for range rounds {
			for _, c := range clients() {
				got := task.measure(c)
				if old, ok := best[c.name]; !ok || got.time < old.time {
					best[c.name] = got
				}
			}
		}
		base := best[clients()[0].name]
		for _, c := range clients() {
			b := best[c.name]
			factor := float64(b.time) / float64(max(base.time, 1))
			t.Add(task.name, c.name, b.time.String(), fmt.Sprintf("%.1f", factor), fmt.Sprint(b.allocs), fmt.Sprint(b.bytes))
		}
	}
	return t
}

const (
	crowd   = 20
	pause   = 50 * time.Millisecond
	service = 50 * time.Millisecond
)

// behaviour is what callers see of one client.
type behaviour struct {
	herd  int64
	first time.Duration
	cold  cold
}

// behaviourTable has the best of the rounds, in which the clients take turns.
func behaviourTable(rounds int) (*report.Table, error) {
	best := map[string]behaviour{}
	for range rounds {
		for _, c := range append(clients(), without) {
			got, err := observe(c)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			if old, ok := best[c.name]; ok {
				got.herd, got.first = min(got.herd, old.herd), min(got.first, old.first)
				if old.cold.p99 < got.cold.p99 {
					got.cold = old.cold
				}
			}
			best[c.name] = got
		}
	}
	t := &report.Table{Head: []string{"client", "upstream requests of 20 misses", "first byte", "p50 from cold", "p99 from cold", "upstream requests"}}
	for _, c := range append(clients(), without) {
		b := best[c.name]
		t.Add(c.name, fmt.Sprint(b.herd), b.first.Round(100*time.Microsecond).String(),
			b.cold.p50.Round(time.Microsecond).String(), b.cold.p99.Round(100*time.Microsecond).String(), fmt.Sprint(b.cold.upstream))
	}
	return t, nil
}

func observe(c client) (b behaviour, err error) {
	if b.herd, err = herd(c, crowd); err != nil {
		return b, err
	}
	if b.first, err = firstByte(c, pause); err != nil {
		return b, err
	}
	calls := 200
	if c.name == without.name { // each of them takes the whole time
		calls = 20
	}
	b.cold, err = fromCold(c, 50, calls, service)
	return b, err
}

const notes = `The best of the rounds; the factor is the time as a multiple of Headgate's. All caches keep their entries in memory, with their defaults, over an upstream in the same process, whose own cost is in the times of the misses. The first byte is that of a body of two halves that come 50 ms apart, the first after 50 ms. From cold: 50 callers with 200 calls each for 1000 resources, chosen by Zipf's law (s = 1.1), of an upstream that takes 50 ms. Without a cache (20 calls each) the times are those of the machine: what they have beyond 50 ms, the others have too.`
