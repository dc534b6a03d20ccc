package httpcache_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
)

func newByteStore() *byteStore { return &byteStore{values: map[string][]byte{}} }

// over makes a client over a byte store, as a process of its own would.
func over(t *testing.T, s store.StoreInterface, base http.RoundTripper, change func(*httpcache.Config)) (*httpcache.Cache, *client) {
	stage := newCache(t, func(c *httpcache.Config) {
		c.Store = "bytes"
		if change != nil {
			change(c)
		}
	}, httpcache.WithStore(s))
	return stage, &client{t, middleware.Chain(base, stage.Wrap)}
}

// caching.md, "Storage": small bodies inline, so that a hit is one read.
func TestHitOfASmallAnswerIsOneRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newByteStore()
		for name, body := range map[string]string{"small": strings.Repeat("s", 16<<10), "large": strings.Repeat("l", 16<<10+1)} {
			_, c := over(t, s, always(200, body, "Cache-Control", "max-age=60"), nil)
			url := pageURL + "/" + name
			require.Equal(t, body, c.do(t.Context(), "GET", url, "").body)
			before := s.reads
			r := c.do(t.Context(), "GET", url, "")
			require.Equal(t, freshHit, r.cached)
			require.Equal(t, body, r.body)
			require.Equal(t, map[string]int{"small": 1, "large": 2}[name], s.reads-before, name)
			before = s.reads
			c.do(t.Context(), "HEAD", url, "")
			require.Equal(t, 1, s.reads-before, "a HEAD needs no body")
		}
	})
}

func TestAnotherProcessFindsWhatIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newByteStore()
		up := always(200, "hello", "Cache-Control", "max-age=60", "X-Kept", "yes", "Trailer", "X")
		_, one := over(t, s, up, nil)
		_, two := over(t, s, up, nil)
		one.get("Authorization", "a")
		time.Sleep(10 * time.Second)
		r := two.get("Authorization", "a")
		require.Equal(t, "headgate; hit; ttl=50", r.cached)
		require.Equal(t, "hello", r.body)
		require.Equal(t, "yes", r.header.Get("X-Kept"))
		require.Equal(t, "HTTP/1.1", r.resp.Proto)
		require.NotContains(t, two.get("Authorization", "b").cached, "hit")
	})
}

// The body of an answer that is stored once more, or that was replaced, does not stay behind.
func TestBodiesThatNobodyNamesAreDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newByteStore()
		_, c := over(t, s, always(200, strings.Repeat("l", 100<<10), "Cache-Control", "max-age=60"), nil)
		c.get()
		n := len(s.values)
		for range 5 {
			c.get("Cache-Control", "no-cache")
		}
		require.Len(t, s.values, n)
	})
}

// A 304 makes a stored answer fresh without writing its body again, as long as that will be there.
func TestConfirmedAnswerKeepsItsBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newByteStore()
		body := strings.Repeat("l", 100<<10)
		up := sequence(
			func() *http.Response { return respond(200, body, "Cache-Control", "max-age=60", "ETag", `"a"`) },
			func() *http.Response { return respond(304, "", "Cache-Control", "max-age=60") },
		)
		_, c := over(t, s, up, nil)
		c.get()
		var large [][]byte
		for range 60 {
			time.Sleep(time.Hour)
			r := c.get()
			require.Contains(t, r.cached, "fwd=stale; fwd-status=304; stored")
			require.Equal(t, body, r.body)
			large = nil
			for _, v := range s.values {
				if len(v) > len(body) {
					large = append(large, v)
				}
			}
			require.NotEmpty(t, large)
		}
		require.LessOrEqual(t, len(large), 1)
		require.Less(t, s.writes, 60+30)
	})
}

// Whatever is not a whole entry is a miss, is counted, and is stored anew.
func TestDamagedStoreIsAMiss(t *testing.T) {
	for name, damage := range map[string]func(key string, value []byte) []byte{
		"torn":        func(_ string, v []byte) []byte { return v[:len(v)/2] },
		"cut short":   func(_ string, v []byte) []byte { return v[:len(v)-1] },
		"empty":       func(string, []byte) []byte { return []byte{} },
		"a bit":       func(_ string, v []byte) []byte { v = bytes.Clone(v); v[len(v)-7] ^= 4; return v },
		"foreign":     func(string, []byte) []byte { return []byte("session=1") },
		"older":       func(_ string, v []byte) []byte { v = bytes.Clone(v); v[4] = 0; return v },
		"all zeroes":  func(_ string, v []byte) []byte { return make([]byte, len(v)) },
		"run on":      func(_ string, v []byte) []byte { return append(bytes.Clone(v), v...) },
		"another key": nil,
	} {
		bubble(t, name, func(t *testing.T) {
			s := newByteStore()
			up := always(200, strings.Repeat("l", 20<<10), "Cache-Control", "max-age=60")
			stage, c := over(t, s, up, func(c *httpcache.Config) { c.PurgeWithin = 0 })
			c.get()
			c.do(t.Context(), "GET", pageURL+"2", "")
			if damage == nil {
				var keys []string
				for k := range s.values {
					keys = append(keys, k)
				}
				first := s.values[keys[0]]
				for i := range keys[1:] {
					s.values[keys[i]] = s.values[keys[i+1]]
				}
				s.values[keys[len(keys)-1]] = first
			} else {
				for k, v := range s.values {
					s.values[k] = damage(k, v)
				}
			}
			require.Equal(t, firstMiss, c.get().cached)
			require.Equal(t, freshHit, c.get().cached)
			require.NotZero(t, stage.Stats().Damaged)
			require.Zero(t, stage.Stats().StoreErrors)
		})
	}
}

func TestBodyThatIsGoneIsAMiss(t *testing.T) {
	for name, header := range map[string][]string{"fresh": {}, "to be asked about": {"Cache-Control", "no-cache"}} {
		bubble(t, name, func(t *testing.T) {
			s := newByteStore()
			up := always(200, strings.Repeat("l", 20<<10), "Cache-Control", "max-age=60", "ETag", `"a"`)
			stage, c := over(t, s, up, nil)
			c.get()
			for k, v := range s.values {
				if len(v) > 20<<10 {
					delete(s.values, k)
				}
			}
			r := c.get(header...)
			require.NotContains(t, r.cached, "hit")
			require.Len(t, r.body, 20<<10)
			require.Empty(t, up.request(1).Header["If-None-Match"], "an answer without its body can't be confirmed")
			require.NotZero(t, stage.Stats().Lost)
			require.Equal(t, freshHit, c.get().cached)
		})
	}
}

// A lost mark takes what it vouched for with it: an invalidation may have been lost with it.
func TestLostMarksAreMisses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newByteStore()
		up := always(200, "hello", "Cache-Control", "max-age=60")
		_, c := over(t, s, up, func(c *httpcache.Config) { c.PurgeWithin = 0 })
		c.get()
		keys := make([]string, 0, 3)
		for k := range s.values {
			keys = append(keys, k)
		}
		require.Len(t, keys, 3, "the index, the URL's mark, the list of prefixes")
		for _, k := range keys {
			kept := s.values[k]
			delete(s.values, k)
			require.NotContains(t, c.get().cached, "hit")
			require.Equal(t, freshHit, c.get().cached)
			s.values[k] = kept // and it does not come back
		}
	})
}

// RFC 9111, section 4.4, between processes: at once with purge_within 0, else within it.
func TestInvalidationReachesOtherProcesses(t *testing.T) {
	for name, within := range map[string]time.Duration{"at once": 0, "within a second": time.Second} {
		bubble(t, name, func(t *testing.T) {
			s := newByteStore()
			up := always(200, "hello", "Cache-Control", "max-age=60")
			change := func(c *httpcache.Config) { c.PurgeWithin = within }
			_, one := over(t, s, up, change)
			_, two := over(t, s, up, change)
			for _, credential := range []string{"", "a", "b"} {
				one.get("Authorization", credential)
				require.Equal(t, freshHit, two.get("Authorization", credential).cached)
			}
			one.do(t.Context(), "PUT", pageURL, "x")
			for _, credential := range []string{"", "a", "b"} {
				require.NotContains(t, one.get("Authorization", credential).cached, "hit", "here always at once")
			}
			one.do(t.Context(), "PUT", pageURL, "x")
			time.Sleep(within)
			for _, credential := range []string{"", "a", "b"} {
				require.NotContains(t, two.get("Authorization", credential).cached, "hit")
			}
		})
	}
}

// What one process has asked for when another invalidates it is never served.
func TestFillOfAnotherProcessBegunBeforeAnInvalidation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newByteStore()
		change := func(c *httpcache.Config) { c.PurgeWithin = 0 }
		_, one := over(t, s, slow(minute("old")), change)
		_, two := over(t, s, always(200, "new", "Cache-Control", "max-age=60"), change)
		call := one.launch(t.Context())
		time.Sleep(500 * time.Millisecond)
		two.do(t.Context(), "PUT", pageURL, "x")
		require.Equal(t, "old", (<-call).body)
		r := two.get()
		require.NotContains(t, r.cached, "hit")
		require.Equal(t, "new", r.body)
	})
}

// A store that hangs costs a call store_timeout and no more.
func TestStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &hanging{newByteStore()}
		stage, c := over(t, s, always(200, "hello", "Cache-Control", "max-age=60"), func(c *httpcache.Config) { c.Coalesce = false })
		start := time.Now()
		require.Equal(t, "hello", c.get().body)
		require.LessOrEqual(t, time.Since(start), 2*500*time.Millisecond)
		require.NotZero(t, stage.Stats().StoreErrors)
	})
}

type hanging struct{ *byteStore }

func (*hanging) Get(ctx context.Context, _ any) (any, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// What is stale is kept for as long as it is useful, and then the store may forget it.
func TestKeepStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newByteStore()
		up := always(200, "hello", "Cache-Control", "max-age=60", "ETag", `"a"`)
		_, c := over(t, s, up, func(c *httpcache.Config) { c.KeepStale = time.Hour })
		c.get()
		time.Sleep(59 * time.Minute)
		require.Contains(t, c.get().cached, "fwd=stale")
		time.Sleep(62 * time.Minute)
		require.Contains(t, c.get().cached, "fwd=uri-miss")
	})
}

// A caller who gives up when the change is made does not keep it from being known.
func TestInvalidationOutlivesItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		up := &upstream{answer: func(_ int, req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodPut {
				cancel()
				return respond(204, ""), nil
			}
			return minute("hello")(), nil
		}}
		stage, c := over(t, remote{newByteStore()}, up, nil)
		c.get()
		req, _ := http.NewRequestWithContext(ctx, http.MethodPut, pageURL, nil)
		resp, err := c.rt.RoundTrip(req)
		if err == nil {
			require.NoError(t, resp.Body.Close())
		}
		require.NotContains(t, c.get().cached, "hit")
		require.Zero(t, stage.Stats().StoreErrors)
	})
}

// remote takes a millisecond to read, unless the context ends before.
type remote struct{ *byteStore }

func (s remote) Get(ctx context.Context, key any) (any, error) {
	select {
	case <-time.After(time.Millisecond):
		return s.byteStore.Get(ctx, key)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
