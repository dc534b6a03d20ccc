package httpcache_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore/memory"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
)

// Random requests, against an origin with random validators and Cache-Control, through caches of all kinds: no
// answer is served that the reference model (model_test.go) forbids. Time is virtual, so that a second covers
// hours. With HEADGATE_SOAK=1 it runs for 10 minutes, with HEADGATE_SOAK=30s for that long; a failure names its seed, which HEADGATE_SEED repeats.
func TestSoakAgainstAReferenceModel(t *testing.T) {
	length := time.Second
	if text := os.Getenv("HEADGATE_SOAK"); text != "" {
		length = 10 * time.Minute
		if d, err := time.ParseDuration(text); err == nil {
			length = d
		}
	}
	if text := os.Getenv("HEADGATE_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
		soak(t, seed)
		return
	}
	served := map[string]int{}
	for end := time.Now().Add(length); time.Now().Before(end) && !t.Failed(); {
		for kind, n := range soak(t, rand.Uint64()) {
			served[kind] += n
		}
	}
	t.Logf("served: %v", served)
	for _, kind := range []string{"hit", "stale hit", "confirmed", "collapsed", "304", "forwarded"} {
		require.NotZero(t, served[kind], "a soak without any %s shows nothing", kind)
	}
}

// soak is one world: an origin, a store, one or two caches over it, and callers.
func soak(t *testing.T, seed uint64) (served map[string]int) {
	t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			w := &world{t: t, shared: rng.IntN(3) == 0, served: map[string]int{}}
			change := func(c *httpcache.Config) {
				c.Shared, c.Coalesce = w.shared, rng.IntN(4) > 0
				c.PurgeWithin, c.MaxVariants = 0, 1+rng.IntN(3)
			}
			var s store.StoreInterface = newByteStore()
			if rng.IntN(2) == 0 {
				m, err := memory.New(memory.Config{MaxBytes: 1 << 20, MaxEntryBytes: 64 << 10})
				require.NoError(t, err)
				s = m
			}
			var callers sync.WaitGroup
			processes := 1 // over memory; invalidations of two caches over one do not reach what the other has asked for
			if _, bytes := s.(*byteStore); bytes {
				processes = 2
			}
			for range processes {
				rt := middleware.Chain(w, newCache(t, change, httpcache.WithStore(s)).Wrap)
				for range 3 {
					own := rand.New(rand.NewPCG(seed, rng.Uint64()))
					callers.Go(func() { w.call(rt, own, 60) })
				}
			}
			callers.Wait()
			time.Sleep(time.Minute) // bodies that were given up come to their end
			served = w.served
		})
	})
	return served
}

// world is the origin, and what the model knows of what it said.
type world struct {
	t      *testing.T
	shared bool

	mu      sync.Mutex
	version [3]int // of each resource
	said    []*said
	puts    []put // X-Put in the answer to one names it
	known   []put // those whose caller knows
	served  map[string]int
}

const soakURL = "http://api.example.com/"

// call sends requests one after the other and has each answer judged.
func (w *world) call(rt http.RoundTripper, rng *rand.Rand, n int) {
	for range n {
		time.Sleep(time.Duration(rng.IntN(5))*2*time.Second + time.Duration(rng.IntN(300))*time.Millisecond) // in bursts
		resource := rng.IntN(len(w.version))
		ctx, cancel := context.WithCancel(w.t.Context())
		if rng.IntN(10) == 0 {
			time.AfterFunc(time.Duration(rng.IntN(1500))*time.Millisecond, cancel)
		}
		method := http.MethodGet
		if rng.IntN(15) == 0 {
			method = http.MethodPut
		}
		req, _ := http.NewRequestWithContext(ctx, method, soakURL+strconv.Itoa(resource), nil)
		req.Header.Set("X-Seed", strconv.FormatUint(rng.Uint64(), 10)) // what the origin does is the caller's draw
		if a := rng.IntN(3); a > 0 {
			req.Header.Set("X-A", strconv.Itoa(a))
		}
		asks := pick(rng, "", "", "", "", "no-cache", "max-age=2", "min-fresh=3", "max-stale", "max-stale=4", "no-store")
		if asks != "" {
			req.Header.Set("Cache-Control", asks)
		}
		if rng.IntN(8) == 0 && method == http.MethodGet {
			req.Header.Set("If-None-Match", fmt.Sprintf(`"%d-%d"`, resource, w.now(resource)))
		}
		began, known := time.Now(), w.knownNow()
		resp, err := rt.RoundTrip(req)
		if err == nil {
			w.learn(resp)
			var body []byte
			body, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err == nil {
				w.judge(req, resp, string(body), began, known)
			}
		}
		if err != nil && ctx.Err() == nil {
			w.t.Errorf("%s: %v", req.URL, err)
		}
		cancel()
	}
}

func pick(rng *rand.Rand, from ...string) string { return from[rng.IntN(len(from))] }

func (w *world) now(resource int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.version[resource]
}

// RoundTrip is the origin. What it says holds from when the request came in; the answer takes its time.
func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	seed, _ := strconv.ParseUint(req.Header.Get("X-Seed"), 10, 64)
	rng := rand.New(rand.NewPCG(seed, 2))
	resource, _ := strconv.Atoi(strings.TrimPrefix(req.URL.Path, "/"))
	came := time.Now()
	w.mu.Lock()
	if req.Method == http.MethodPut || rng.IntN(20) == 0 {
		w.version[resource]++
	}
	version := w.version[resource]
	w.mu.Unlock()
	delay := time.After(time.Duration(rng.IntN(1000)) * time.Millisecond)
	select {
	case <-delay:
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	if req.Method == http.MethodPut {
		return respond(204, "", "X-Put", strconv.Itoa(w.note(put{resource, came}))), nil
	}
	s := &said{
		resource: resource, version: version, came: came, value: req.Header.Get("X-A"), tag: fmt.Sprintf(`"%d-%d"`, resource, version),
		cc: pick(rng, "max-age=5", "max-age=20", "max-age=20", "max-age=20, must-revalidate", "no-cache", "no-store", "private, max-age=20",
			"s-maxage=10, max-age=20", "max-age=0", "max-age=20, no-cache", "public, max-age=10, proxy-revalidate", ""),
	}
	validators := rng.IntN(3) > 0
	header := []string{"Cache-Control", s.cc}
	if validators {
		header = append(header, "ETag", s.tag)
	}
	if validators && strings.Contains(req.Header.Get("If-None-Match"), s.tag) {
		s.confirms = true
		w.remember(s)
		return respond(304, "", append(header, "X-Said", strconv.Itoa(s.id))...), nil
	}
	if s.vary = rng.IntN(3) == 0; s.vary {
		header = append(header, "Vary", "X-A")
	}
	w.remember(s)
	s.body = fmt.Sprintf("%d %s", s.id, strings.Repeat("x", rng.IntN(2)*20<<10))
	resp := respond(200, s.body, append(header, "X-Said", strconv.Itoa(s.id))...)
	if rng.IntN(3) == 0 {
		resp.ContentLength = -1
	}
	return resp, nil
}

func (w *world) remember(s *said) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.id = len(w.said)
	w.said = append(w.said, s)
}

func (w *world) note(p put) (id int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.puts = append(w.puts, p)
	return len(w.puts) - 1
}

// learn notes that the change an answer is about has returned to its caller.
func (w *world) learn(resp *http.Response) {
	id, err := strconv.Atoi(resp.Header.Get("X-Put"))
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known = append(w.known, w.puts[id])
}

func (w *world) knownNow() []put {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.known[:len(w.known):len(w.known)]
}
