package middlewaretest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "github.com/headgate-go/headgate/middleware/middlewaretest"
)

// wire is a protocol that an upstream speaks.
type wire struct {
	name       string
	tls, http2 bool
	proto      string
}

func wires() []wire {
	return []wire{
		{"HTTP/1.1", false, false, "HTTP/1.1"},
		{"HTTP/1.1 over TLS", true, false, "HTTP/1.1"},
		{"HTTP/2 over TLS", true, true, "HTTP/2.0"},
		{"HTTP/2 with prior knowledge", false, true, "HTTP/2.0"},
	}
}

func (w wire) set(c *Config) { c.TLS, c.HTTP2 = w.tls, w.http2 }

// eachWire runs a test on every protocol.
func eachWire(t *testing.T, test func(t *testing.T, w wire)) {
	for _, w := range wires() {
		t.Run(w.name, func(t *testing.T) { test(t, w) })
	}
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func get(t *testing.T, u *Upstream, client *http.Client) (*http.Response, error) {
	req, err := http.NewRequestWithContext(within(t), http.MethodGet, u.URL+"/path?q=1", nil)
	require.NoError(t, err)
	return client.Do(req)
}

func TestAnUpstreamAnswersAndRemembers(t *testing.T) {
	eachWire(t, func(t *testing.T, w wire) {
		u := New(t, Always(Text(201, "made").With("X-Test", "yes")), w.set, func(c *Config) { c.CallHeader = "X-Call"; c.KeepBodyBytes = 4 })
		body := strings.Repeat("request ", 1000)
		begin := time.Now()
		req, err := http.NewRequestWithContext(within(t), http.MethodPost, u.URL+"/path?q=1", strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("X-Call", "a")
		resp, err := u.Client().Do(req)
		require.NoError(t, err)
		answer, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, "made", string(answer))
		require.Equal(t, 201, resp.StatusCode)
		require.Equal(t, "yes", resp.Header.Get("X-Test"))
		require.Equal(t, w.proto, resp.Proto)

		require.NoError(t, u.Await(within(t), func(s Stats) bool { return s.Answered == 1 }))
		s := u.Stats()
		require.Equal(t, 1, s.Requests)
		require.Equal(t, map[int]int{201: 1}, s.Status)
		require.Equal(t, map[string]int{"a": 1}, s.Calls)
		require.Equal(t, 1, s.Connections)
		require.EqualValues(t, 8000, s.BodyBytes)
		require.Greater(t, s.ReceivedBytes, int64(8000))

		seen := u.Requests()
		require.WithinRange(t, seen[0].At, begin, time.Now())
		require.Len(t, seen, 1)
		sum := sha256.Sum256([]byte(body))
		require.Equal(t, RequestBody{Length: 8000, SHA256: hex.EncodeToString(sum[:]), Start: []byte("requ")}, seen[0].Body)
		require.True(t, seen[0].BodyComplete)
		require.Equal(t, []any{1, "POST", "/path?q=1", w.proto, 201, int64(8000), "a"},
			[]any{seen[0].Number, seen[0].Method, seen[0].Target, seen[0].Proto, seen[0].Status, seen[0].ContentLength, seen[0].Header.Get("X-Call")})
	})
}

func TestFaults(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), 100)
	ten := Repeat(10, Chunk{Data: strings.Repeat("x", 100)})
	tests := []struct {
		name   string
		answer Answer
		want   int // body bytes before the end; -1: no response at all
	}{
		{"a reset", Answer{Fault: Reset}, -1},
		{"a cut after the headers", Answer{Body: data, Fault: CutBody}, 0},
		{"a cut in the body", Answer{Body: data, Fault: CutBody, After: 300}, 300},
		{"a cut at the end of a declared body", Answer{Body: data, Fault: CutBody, After: -1}, 1000},
		{"a cut at the end of a chunked body", Answer{Body: data, Chunked: true, Fault: CutBody, After: -1}, 1000},
		{"a cut in a stream", Answer{Stream: ten, Fault: CutBody, After: 250}, 250},
		{"a cut at the end of a stream", Answer{Stream: ten, Fault: CutBody, After: -1}, 1000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eachWire(t, func(t *testing.T, w wire) {
				u := New(t, Always(tt.answer), w.set)
				// POST, because net/http itself repeats a GET after a reset.
				req, err := http.NewRequestWithContext(within(t), http.MethodPost, u.URL, strings.NewReader("body"))
				require.NoError(t, err)
				resp, err := u.Client().Do(req)
				if tt.want < 0 {
					require.Error(t, err)
					if w.http2 {
						require.NotErrorIs(t, err, context.DeadlineExceeded)
					} else {
						require.ErrorIs(t, err, syscall.ECONNRESET)
					}
				} else {
					require.NoError(t, err)
					got, err := io.ReadAll(resp.Body)
					require.Error(t, err)
					if !w.http2 {
						require.ErrorIs(t, err, io.ErrUnexpectedEOF)
					}
					require.Len(t, got, tt.want)
					require.NoError(t, resp.Body.Close())
				}
				require.NoError(t, u.Await(within(t), func(s Stats) bool { return s.Faulted == 1 && s.Serving == 0 }))
			})
		})
	}
}

func TestHangs(t *testing.T) {
	tests := []struct {
		name   string
		answer Answer
	}{
		{"before the headers", Answer{Fault: HangHeaders}},
		{"after the headers", Answer{Body: []byte("0123456789"), Fault: HangBody}},
		{"in the body", Answer{Body: []byte("0123456789"), Fault: HangBody, After: 5}},
		{"in a stream without an end", Answer{Stream: Repeat(-1, Chunk{Data: "\n", Gap: time.Millisecond})}},
		{"in a chunk that waits", Answer{Stream: Chunks(Chunk{Wait: make(chan struct{})})}},
		{"in a delay", Answer{Delay: time.Hour}},
		{"in the queue", Answer{}},
	}
	ends := map[string]func(u *Upstream, leave func()) Stats{
		"the client leaves": func(u *Upstream, leave func()) Stats {
			leave()
			return Stats{Abandoned: 1}
		},
		"the upstream is closed": func(u *Upstream, leave func()) Stats {
			u.Close()
			return Stats{Faulted: 1}
		},
	}
	for _, tt := range tests {
		for how, end := range ends {
			t.Run(tt.name+" until "+how, func(t *testing.T) {
				eachWire(t, func(t *testing.T, w wire) {
					u := New(t, Always(tt.answer), w.set)
					if tt.name == "in the queue" {
						u.SetScript(Handler(func(r *http.Request) Answer {
							if r.URL.Path == "/first" {
								return Answer{Fault: HangHeaders}
							}
							return Answer{}
						}))
					}
					ctx, leave := context.WithCancel(within(t))
					client := u.Client()
					var caller sync.WaitGroup
					caller.Go(func() {
						req, _ := http.NewRequestWithContext(ctx, http.MethodGet, u.URL+"/first", nil)
						if resp, err := client.Do(req); err == nil {
							_, _ = io.Copy(io.Discard, resp.Body)
							_ = resp.Body.Close()
						}
					})
					require.NoError(t, u.Await(within(t), func(s Stats) bool { return s.Serving == 1 }))
					want := end(u, leave)
					require.NoError(t, u.Await(within(t), func(s Stats) bool { return s.Abandoned+s.Faulted == 1 && s.Serving == 0 }))
					require.Equal(t, []int{want.Abandoned, want.Faulted}, []int{u.Stats().Abandoned, u.Stats().Faulted})
					leave()
					caller.Wait()
				})
			})
		}
	}
}

func TestSequencesAndCalls(t *testing.T) {
	fail, ok := Text(503, "busy"), Text(200, "ok")
	ask := func(t *testing.T, u *Upstream, call string) int {
		req, err := http.NewRequestWithContext(within(t), http.MethodGet, u.URL, nil)
		require.NoError(t, err)
		req.Header.Set("X-Call", call)
		resp, err := u.Client().Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	statuses := func(t *testing.T, u *Upstream, calls string) (out []int) {
		for _, c := range strings.Fields(calls) {
			out = append(out, ask(t, u, c))
		}
		return out
	}
	t.Run("a sequence goes by the upstream's requests and repeats its last answer", func(t *testing.T) {
		u := New(t, Sequence(fail, fail, ok))
		require.Equal(t, []int{503, 503, 200, 200}, statuses(t, u, "a b c d"))
	})
	t.Run("per call every call meets it from the beginning", func(t *testing.T) {
		u := New(t, PerCall("X-Call", 10, Sequence(fail, ok)))
		require.Equal(t, []int{503, 503, 200, 200, 200}, statuses(t, u, "a b a b a"))
	})
	t.Run("the calls beyond the bound count as one", func(t *testing.T) {
		u := New(t, PerCall("X-Call", 1, Sequence(fail, ok)), func(c *Config) { c.CallHeader = "X-Call"; c.MaxCalls = 1 })
		require.Equal(t, []int{503, 503, 200, 200}, statuses(t, u, "a b c a"))
		require.Equal(t, map[string]int{"a": 2}, u.Stats().Calls)
		require.Equal(t, 2, u.Stats().OtherCalls)
	})
	t.Run("an empty sequence and no script answer 200", func(t *testing.T) {
		u := New(t, Sequence())
		require.Equal(t, 200, ask(t, u, "a"))
		u.SetScript(nil)
		require.Equal(t, 200, ask(t, u, "a"))
		u.SetScript(Always(fail))
		require.Equal(t, 503, ask(t, u, "a"))
	})
}

func TestOnlyTheLastRequestsAreKept(t *testing.T) {
	for _, keep := range []int{0, 1, 3} {
		t.Run(fmt.Sprint(keep), func(t *testing.T) {
			u := New(t, nil, func(c *Config) { c.KeepRequests = keep })
			client := u.Client()
			for range 5 {
				resp, err := get(t, u, client)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
			}
			var numbers []int
			for _, r := range u.Requests() {
				numbers = append(numbers, r.Number)
			}
			require.Equal(t, []int{1, 2, 3, 4, 5}[5-keep:], append([]int{}, numbers...))
			require.Equal(t, 5, u.Stats().Requests)
		})
	}
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	u := New(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, u.Await(ctx, func(Stats) bool { return false }), context.Canceled)
	require.NoError(t, u.Await(ctx, func(Stats) bool { return true }))
}

func TestCloseReachesAnUpgradedConnection(t *testing.T) {
	u := New(t, Always(Answer{Upgrade: "echo", Header: http.Header{"X-Test": {"yes"}}}))
	req, err := http.NewRequestWithContext(within(t), http.MethodGet, u.URL, nil)
	require.NoError(t, err)
	req.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"echo"}}
	resp, err := u.Client().Do(req)
	require.NoError(t, err)
	require.Equal(t, 101, resp.StatusCode)
	require.Equal(t, "yes", resp.Header.Get("X-Test"))
	u.Close()
	u.Close() // harmless
	_, err = resp.Body.Read(make([]byte, 1))
	require.Error(t, err)
	require.NoError(t, resp.Body.Close())
	require.Zero(t, u.Stats().OpenConnections)
}

func TestThereIsNoUpgradeOnHTTP2(t *testing.T) {
	u := New(t, Always(Answer{Upgrade: "echo"}), func(c *Config) { c.TLS, c.HTTP2 = true, true })
	resp, err := get(t, u, u.Client())
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 501, resp.StatusCode)
}

func TestStartReportsEverythingThatIsWrong(t *testing.T) {
	_, err := Start(Config{Capacity: -1, Queue: -2, ServiceTime: -time.Second, KeepRequests: -3, KeepBodyBytes: -4, MaxCalls: -5})
	for _, want := range []string{"capacity: -1", "queue: -2", "service_time: -1s", "keep_requests: -3", "keep_body_bytes: -4", "max_calls: -5"} {
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, Config{}.Validate())
	require.NoError(t, DefaultConfig().Validate())
	require.NoError(t, Busy().Validate())
}

func TestWithLeavesTheOriginalAsItIs(t *testing.T) {
	a := Text(200, "x")
	b := a.With("Content-Type", "text/html").With("X-Test", "yes")
	require.Len(t, a.Header, 1)
	require.Equal(t, []string{"text/plain; charset=utf-8", "text/html"}, b.Header["Content-Type"])
	require.Equal(t, http.Header{"X-Test": {"yes"}}, Answer{}.With("X-Test", "yes").Header)
}
