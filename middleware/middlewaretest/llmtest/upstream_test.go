package llmtest_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
	. "github.com/headgate-go/headgate/middleware/middlewaretest/llmtest"
)

func TestRequestsAreChecked(t *testing.T) {
	good := `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}]}`
	for _, c := range []struct {
		about  string
		api    API
		change func(*http.Request)
		body   string
		status int
	}{
		{"good", OpenAI, nil, good, 200},
		{"good, of Anthropic", Anthropic, nil, good, 200},
		{"no JSON", OpenAI, nil, "model=m", 400},
		{"no model", OpenAI, nil, `{"messages":[{}]}`, 400},
		{"no message", OpenAI, nil, `{"model":"m","messages":[]}`, 400},
		{"a stream flag that is none", OpenAI, nil, `{"model":"m","stream":"yes","messages":[{}]}`, 400},
		{"no max_tokens for Anthropic", Anthropic, nil, `{"model":"m","messages":[{}]}`, 400},
		{"no version for Anthropic", Anthropic, func(r *http.Request) { r.Header.Del("Anthropic-Version") }, good, 400},
		{"no key", OpenAI, func(r *http.Request) { r.Header.Del("Authorization") }, good, 401},
		{"an empty key", OpenAI, func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }, good, 401},
		{"no key for Anthropic", Anthropic, func(r *http.Request) { r.Header.Del("X-Api-Key") }, good, 401},
		{"another path", OpenAI, func(r *http.Request) { r.URL.Path = "/v1/embeddings" }, good, 404},
		{"another method", OpenAI, func(r *http.Request) { r.Method = http.MethodPut }, good, 405},
		{"too large", OpenAI, nil, good + strings.Repeat(" ", 4<<20), 413},
	} {
		t.Run(c.about, func(t *testing.T) {
			u := New(t)
			req := shape{c.api, false}.ask(t, u.URL)
			req.Body, req.ContentLength, req.GetBody = readCloser(c.body), int64(len(c.body)), nil
			if c.change != nil {
				c.change(req)
			}
			r := do(u, req)
			require.NoError(t, r.err)
			require.Equal(t, c.status, r.status, r.body)
			invalid := 1
			if c.status == 200 {
				invalid = 0
			}
			require.Equal(t, invalid, u.Stats().Invalid)
		})
	}
}

func TestOneModel(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Model = "deepseek-chat"
	u, err := Start(cfg)
	require.NoError(t, err)
	defer u.Close()
	require.Equal(t, 200, shape{DeepSeek, false}.get(t, u).status)
	require.Equal(t, 404, shape{OpenAI, false}.get(t, u).status)
}

func TestTurnsAreTakenInOrder(t *testing.T) {
	u := New(t, Busy(503), Say(Words("one")))
	s := shape{OpenAI, true}
	require.Equal(t, 503, s.get(t, u).status)
	require.Equal(t, 200, s.get(t, u).status)
	require.Equal(t, 200, s.get(t, u).status, "the last one repeats")
	u.SetTurns(Busy(500))
	require.Equal(t, 500, s.get(t, u).status)
	u.SetTurns()
	require.Contains(t, s.get(t, u).body, "Hello.")
	require.Equal(t, 5, u.Stats().Streams)
	require.Equal(t, 5, u.Stats().Requests)
}

func TestEachCallHasItsOwnTurns(t *testing.T) {
	cfg := DefaultConfig()
	cfg.CallHeader = "X-Call"
	cfg.Turns = []Turn{Busy(503), Say(Words("one"))}
	u, err := Start(cfg)
	require.NoError(t, err)
	defer u.Close()
	for _, want := range []struct {
		call   string
		status int
	}{{"a", 503}, {"b", 503}, {"b", 200}, {"a", 200}} {
		req := shape{OpenAI, false}.ask(t, u.URL)
		req.Header.Set("X-Call", want.call)
		require.Equal(t, want.status, do(u, req).status)
	}
	require.Equal(t, map[string]int{"a": 2, "b": 2}, u.Stats().Calls)
}

func TestAStreamHoldsItsSlot(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Server.Capacity = 1
	reply := Words("a few words")
	reply.Gap = 30 * time.Millisecond
	cfg.Turns = []Turn{Say(reply)}
	u, err := Start(cfg)
	require.NoError(t, err)
	defer u.Close()
	first := make(chan got, 1)
	req := shape{OpenAI, true}.ask(t, u.URL)
	go func() { first <- do(u, req) }()
	require.NoError(t, u.Await(within(t), func(s middlewaretest.Stats) bool { return s.Status[200] == 1 }))
	require.Equal(t, 503, shape{OpenAI, true}.get(t, u).status)
	require.Equal(t, 200, (<-first).status)
	require.Equal(t, 1, u.Stats().MaxServing)
	require.Equal(t, 1, u.Stats().Busy)
}

func TestManyAtOnceAreCounted(t *testing.T) {
	u := New(t, Say(Words("three words each")))
	var wg sync.WaitGroup
	for range 20 {
		req := shape{Anthropic, true}.ask(t, u.URL)
		wg.Go(func() { do(u, req) })
	}
	wg.Wait()
	s := u.Stats()
	require.Equal(t, 20, s.Requests)
	require.Equal(t, 60, s.Generated)
	require.Equal(t, 60, s.Delivered)
}

func TestWrongConfigurations(t *testing.T) {
	_, err := Start(Config{})
	require.ErrorContains(t, err, "DefaultConfig")
	cfg := DefaultConfig()
	cfg.Turns = []Turn{nil}
	cfg.Server.Script = middlewaretest.Always(middlewaretest.Answer{})
	cfg.Server.Capacity = -1
	_, err = Start(cfg)
	for _, want := range []string{"turns: number 1", "server: it has a script", "server: capacity: -1"} {
		require.ErrorContains(t, err, want)
	}
}

func TestFailuresHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Failures(time.Millisecond) {
		require.False(t, seen[f.Name], f.Name)
		seen[f.Name] = true
		require.NotEqual(t, "unknown", f.Expect.String())
		happens := 0
		for _, s := range shapes() {
			if f.Happens(s.api, s.stream) {
				happens++
			}
		}
		require.Positive(t, happens, f.Name)
	}
	require.Greater(t, len(seen), 50)
}

// What is expected of a client must be possible: a plain one sees a whole reply where there is one, and no other.
func TestWhatIsExpectedCanBe(t *testing.T) {
	for _, f := range Failures(0) {
		for _, s := range shapes() {
			if !f.Happens(s.api, s.stream) || strings.Contains(f.Name, "hang") || strings.Contains(f.Name, "for ever") {
				continue
			}
			t.Run(f.Name+", "+s.String(), func(t *testing.T) {
				u := New(t, f.Turn)
				r := s.get(t, u)
				whole := r.err == nil && r.status == 200 && u.Stats().Delivered > 0
				require.Equal(t, f.Expect == ExpectReply, whole)
				require.Equal(t, whole, f.Reply.String() != "", "what arrives is told")
				if f.Expect == ExpectError {
					require.Positive(t, u.Stats().Wasted())
				} else {
					require.Zero(t, u.Stats().Wasted())
				}
			})
		}
	}
}

func TestNames(t *testing.T) {
	require.Equal(t, "OpenAI DeepSeek Anthropic unknown", strings.Join([]string{OpenAI.String(), DeepSeek.String(), Anthropic.String(), API(9).String()}, " "))
	require.Equal(t, "the reply", ExpectReply.String())
	require.Equal(t, "unknown", Expect(9).String())
	require.Len(t, Hints(), 16)
}
