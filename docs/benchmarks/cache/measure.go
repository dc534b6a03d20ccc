package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

func request(path string) *http.Request {
	req, err := http.NewRequest(http.MethodGet, "http://upstream.test/"+path, nil)
	if err != nil {
		panic(err) // the paths are ours
	}
	return req
}

// fetch reads all of an answer, or only its header.
func fetch(rt http.RoundTripper, path string, all bool) error {
	resp, err := rt.RoundTrip(request(path))
	if err != nil {
		return err
	}
	if all {
		_, err = io.Copy(io.Discard, resp.Body)
	}
	resp.Body.Close()
	return err
}

// cost is what one operation takes; the best of the rounds.
type cost struct {
	time   time.Duration
	allocs int64
	bytes  int64
}

type task struct {
	name string
	size int
	miss bool // every request is of another resource
	all  bool // the body is read
}

var tasks = []task{
	{"hit, 1 KiB", 1 << 10, false, true},
	{"hit, 1 MiB, header only", 1 << 20, false, false},
	{"miss and store, 1 KiB", 1 << 10, true, true},
	{"miss and store, 64 KiB", 64 << 10, true, true},
}

// resources bounds how many a benchmark of misses makes: some of the caches have no bound.
const resources = 2000

func (t task) measure(c client) cost {
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		base := sized(t.size)
		rt := c.over(base)
		if !t.miss {
			if err := fetch(rt, "one", true); err != nil {
				b.Fatal(err)
			}
		}
		i := 0
		for b.Loop() {
			path := "one"
			if t.miss {
				if i%resources == resources-1 {
					rt = c.over(base)
				}
				path = fmt.Sprint(i % resources)
				i++
			}
			if err := fetch(rt, path, t.all); err != nil {
				b.Fatal(err)
			}
		}
		if !t.miss && base.requests.Load() != 1 {
			b.Fatalf("%d requests went upstream, want 1", base.requests.Load())
		}
	})
	return cost{time.Duration(result.NsPerOp()), result.AllocsPerOp(), result.AllocedBytesPerOp()}
}

// herd counts the upstream requests of n callers who miss one resource at once.
func herd(c client, n int) (int64, error) {
	base := sized(1 << 10)
	base.service = 50 * time.Millisecond
	rt := c.over(base)
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = fetch(rt, "one", true) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return base.requests.Load(), nil
}

// firstByte is when the first byte of a miss arrives whose body takes twice pause.
func firstByte(c client, pause time.Duration) (time.Duration, error) {
	base := sized(64 << 10)
	base.pause = pause
	begin := time.Now()
	resp, err := c.over(base).RoundTrip(request("one"))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var one [1]byte
	if _, err := io.ReadFull(resp.Body, one[:]); err != nil {
		return 0, err
	}
	return time.Since(begin), nil
}

// cold is what callers see of an empty cache: the distribution of the resources they ask for is Zipf's.
type cold struct {
	p50, p99 time.Duration
	upstream int64
}

func fromCold(c client, callers, calls int, service time.Duration) (cold, error) {
	base := sized(1 << 10)
	base.service = service
	rt := c.over(base)
	times := make([][]time.Duration, callers)
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			zipf := rand.NewZipf(rand.New(rand.NewPCG(1, uint64(i))), 1.1, 1, 999)
			for range calls {
				begin := time.Now()
				if errs[i] = fetch(rt, fmt.Sprint(zipf.Uint64()), true); errs[i] != nil {
					return
				}
				times[i] = append(times[i], time.Since(begin))
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return cold{}, err
		}
	}
	all := slices.Concat(times...)
	slices.Sort(all)
	return cold{all[len(all)/2], all[len(all)*99/100], base.requests.Load()}, nil
}
