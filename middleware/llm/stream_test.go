package llm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

// part is what comes after a time.
type part struct {
	after time.Duration
	data  string
}

// timed is a base whose body comes in parts; after the last one it ends, or with
// hang waits for the context, or with broken breaks.
func timed(label string, hang bool, broken error, parts ...part) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		r, w := io.Pipe()
		go func() {
			for _, p := range parts {
				select {
				case <-time.After(p.after):
				case <-req.Context().Done():
					_ = w.CloseWithError(req.Context().Err())
					return
				}
				if _, err := io.WriteString(w, p.data); err != nil {
					return
				}
			}
			if hang {
				<-req.Context().Done()
				broken = req.Context().Err()
			}
			_ = w.CloseWithError(broken)
		}()
		return &http.Response{StatusCode: 200, Header: header(label), Body: r, ContentLength: -1, Request: req}, nil
	})
}

func TestHeadersAreHeldUntilTheFirstContent(t *testing.T) {
	for _, c := range []struct {
		name  string
		label string
		parts []part
		at    time.Duration
	}{
		{"content", asEvents, []part{{time.Second, keepAlive}, {100 * time.Second, roleChunk}, {time.Second, helloChunk + stopChunk}}, 102 * time.Second},
		{"reasoning", asEvents, []part{{time.Second, roleChunk}, {time.Second, thinkChunk + doneChunk}}, 2 * time.Second},
		{"Anthropic's beginning is not enough", asEvents, []part{{0, claudeStart}, {time.Second, claudePing + claudeBlock}, {time.Second, claudeDelta + claudeStop}}, 2 * time.Second},
		{"the end", asEvents, []part{{time.Second, roleChunk}, {time.Second, stopChunk}}, 2 * time.Second},
		{"an event of an API that nobody knows", asEvents, []part{{time.Second, "data: x"}, {time.Second, "\n\n"}}, 2 * time.Second},
		{"blank lines before JSON", asJSON, []part{{time.Second, "\n"}, {30 * time.Second, "\n"}, {30 * time.Second, `{"id":"x","choi`}, {time.Second, `ces":[{`}, {0, `}]}`}}, 62 * time.Second},
		{"the bound in time", asEvents, []part{{time.Hour, helloChunk + doneChunk}}, 5 * time.Minute},
		{"the bound in bytes", asEvents, []part{{time.Second, strings.Repeat(roleChunk, 1000)}, {time.Hour, doneChunk}}, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s seen
				begin := time.Now()
				resp, err := post(t, stage(t, nil, nil), &s, timed(c.label, false, nil, c.parts...))
				require.NoError(t, err)
				require.Equal(t, c.at, time.Since(begin))
				require.Equal(t, 200, resp.StatusCode)
				text, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				var want strings.Builder
				for _, p := range c.parts {
					want.WriteString(p.data)
				}
				require.Equal(t, strings.ReplaceAll(strings.TrimLeft(want.String(), "\n"), keepAlive, ""), string(text))
				require.NoError(t, resp.Body.Close())
				require.Equal(t, middleware.Success, s.end.Outcome.Verdict)
			})
		})
	}
}

func TestAnAnswerThatEndsInTheMiddleIsNoSilentEnd(t *testing.T) {
	for _, c := range []struct {
		name  string
		label string
		body  string
		err   error
		kind  string
	}{
		{"a stream without a terminal event", asEvents, helloChunk + helloChunk, io.ErrUnexpectedEOF, EventCut},
		{"a stream that ends in an event", asEvents, helloChunk + `data: {"choices":[{"de`, ErrCut, EventCut},
		{"an error in the stream", asEvents, helloChunk + errorChunk, ErrUpstream, EventFailed},
		{"Anthropic's", asEvents, claudeStart + claudeDelta + claudeError, ErrUpstream, EventFailed},
		{"JSON that ends in the middle", asJSON, `{"choices":[{"message":{"content":"SECRET ANSWER`, io.ErrUnexpectedEOF, EventCut},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s seen
			var o told
			resp, err := post(t, stage(t, nil, &o), &s, upstream{header: c.label, body: c.body})
			require.NoError(t, err)
			require.Equal(t, 200, resp.StatusCode)
			text, err := io.ReadAll(resp.Body)
			require.ErrorIs(t, err, c.err)
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, "llm", e.Stage)
			require.Equal(t, c.body, string(text), "all of it is passed on before")
			require.NoError(t, resp.Body.Close())
			require.Equal(t, c.kind, o.kinds()[0])
			require.Equal(t, middleware.Failure, s.end.Outcome.Verdict)
			_, err = resp.Body.Read(make([]byte, 1))
			require.Error(t, err, "once it has failed, it has failed")
		})
	}
}

func TestAnErrorInTheStreamTellsWhatItMeans(t *testing.T) {
	resp, err := post(t, stage(t, nil, nil), &seen{}, upstream{header: asEvents, body: claudeStart + claudeDelta + claudeError})
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	var e *Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, middleware.Busy, e.Outcome.Verdict)
	require.EqualError(t, err, "llm: the upstream told an error in its answer (busy)")
	require.NotErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestAConnectionThatBreaks(t *testing.T) {
	broken := errors.New("connection reset by peer")
	t.Run("before the first content is an error of RoundTrip", func(t *testing.T) {
		var s seen
		_, err := post(t, stage(t, nil, nil), &s, upstream{header: asEvents, body: keepAlive + roleChunk, broken: broken})
		require.ErrorIs(t, err, broken)
		require.Equal(t, middleware.Failure, s.outcome.Verdict)
	})
	t.Run("before a byte is, too", func(t *testing.T) {
		_, err := post(t, stage(t, nil, nil), &seen{}, upstream{header: asJSON, broken: broken})
		require.ErrorIs(t, err, broken)
	})
	t.Run("afterwards it is one of Read", func(t *testing.T) {
		resp, err := post(t, stage(t, nil, nil), &seen{}, upstream{header: asEvents, body: helloChunk, broken: broken})
		require.NoError(t, err)
		text, err := io.ReadAll(resp.Body)
		require.ErrorIs(t, err, broken)
		require.Equal(t, helloChunk, string(text))
		require.NoError(t, resp.Body.Close())
	})
}

func TestTheCallerCanGiveUpWhileTheHeadersAreHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		begin := time.Now()
		var s seen
		_, err := middleware.Chain(timed(asEvents, true, nil, part{time.Second, keepAlive}), s.wrap, stage(t, nil, nil).Wrap).
			RoundTrip(newPost(ctx, t, "https://api.openai.com/v1"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 7*time.Second, time.Since(begin))
		require.Equal(t, middleware.ReasonDeadline, s.outcome.Reason)
	})
}

func TestABodyThatWasLetGoAtTheBoundCanBeClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		resp, err := stage(t, nil, nil).Wrap(timed(asEvents, true, nil, part{time.Second, roleChunk})).RoundTrip(newPost(ctx, t, "https://api.openai.com/v1"))
		require.NoError(t, err)
		reading := make(chan error)
		go func() {
			_, err := io.ReadAll(resp.Body)
			reading <- err
		}()
		synctest.Wait()
		require.NoError(t, resp.Body.Close())
		require.Error(t, <-reading)
	})
}

func TestOnlyContentIsProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s seen
		begin := time.Now()
		resp, err := post(t, stage(t, nil, nil), &s, timed(asEvents, false, nil, part{time.Second, roleChunk}, part{time.Second, thinkChunk},
			part{time.Second, keepAlive}, part{time.Second, "event: ping\ndata: {}\n\n"}, part{time.Second, helloChunk}, part{time.Second, "\n"}, part{time.Second, stopChunk}))
		require.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, []time.Time{begin.Add(2 * time.Second), begin.Add(5 * time.Second)}, s.progress)
	})
}

func TestUsageIsTold(t *testing.T) {
	for _, c := range []struct {
		name, url, label, body string
		want                   middleware.Usage
		wasted                 uint64
	}{
		{"a chat as a stream", "https://api.deepseek.com", asEvents, helloChunk + stopChunk + usageChunk + doneChunk, middleware.Usage{Input: 100, Cached: 64, Output: 7}, 0},
		{"a chat", "https://api.openai.com", asJSON, `{"choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":9,"completion_tokens":12,"prompt_tokens_details":{"cached_tokens":4}}}`,
			middleware.Usage{Input: 9, Cached: 4, Output: 12}, 0},
		{"Anthropic counts its cache apart", "https://api.anthropic.com", asEvents, claudeStart + claudeDelta + claudeUsage + claudeStop, middleware.Usage{Input: 15, Cached: 5, Output: 9}, 0},
		{"Anthropic, cut", "https://api.anthropic.com", asEvents, claudeStart + claudeDelta + claudeDelta + claudeDelta, middleware.Usage{Input: 15, Cached: 5, Output: 3}, 18},
		{"responses", "https://api.openai.com", asEvents, respCreated + respDelta + respDone, middleware.Usage{Input: 3, Cached: 2, Output: 4}, 0},
		{"Gemini, with its thoughts", "https://generativelanguage.googleapis.com", asEvents, geminiPart + geminiStop, middleware.Usage{Input: 4, Output: 32}, 0},
		{"Groq", "https://api.groq.com", asEvents, helloChunk + `data: {"choices":[],"x_groq":{"usage":{"prompt_tokens":5,"completion_tokens":6}}}` + "\n\n" + doneChunk, middleware.Usage{Input: 5, Output: 6}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s seen
			var o told
			l := stage(t, nil, &o)
			resp, err := middleware.Chain(upstream{header: c.label, body: c.body}, s.wrap, l.Wrap).RoundTrip(newPost(t.Context(), t, c.url+"/v1"))
			require.NoError(t, err)
			_, _ = io.ReadAll(resp.Body)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, []middleware.Usage{c.want}, s.usage)
			require.Contains(t, o.kinds(), EventUsage)
			all := l.Stats()
			require.Len(t, all, 1)
			require.Equal(t, strings.TrimPrefix(c.url, "https://")+"/deepseek-chat", all[0].Key)
			require.Equal(t, []uint64{1, uint64(c.want.Input), uint64(c.want.Cached), uint64(c.want.Output), c.wasted},
				[]uint64{all[0].Requests, all[0].Input, all[0].Cached, all[0].Output, all[0].Wasted})
		})
	}
}

func TestStatsAreSortedByKey(t *testing.T) {
	l := stage(t, nil, nil)
	var want []string
	for _, host := range []string{"c.example.com", "a.example.com", "d.example.com", "b.example.com"} {
		resp, err := l.Wrap(upstream{header: asEvents, body: helloChunk + doneChunk}).RoundTrip(newPost(t.Context(), t, "https://"+host))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		want = append(want, host+"/deepseek-chat")
	}
	slices.Sort(want)
	var got []string
	for _, s := range l.Stats() {
		got = append(got, s.Key)
	}
	require.Equal(t, want, got)
}

func TestAnAnswerThatNobodyReadsIsWasted(t *testing.T) {
	l := stage(t, func(c *Config) { c.OutputTokens = 50 }, nil)
	resp, err := l.Wrap(upstream{header: asEvents, body: helloChunk + doneChunk}).RoundTrip(newPost(t.Context(), t, "https://api.deepseek.com"))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, uint64(len(prompt)/4+1), l.Stats()[0].Wasted, "the prompt, and an event of the answer")
}

func TestTheLengthIsToldWhereItHolds(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want int64
	}{
		"JSON":                   {`{"choices":[{}]}`, 16},
		"blank lines before it":  {"\n\n" + `{"choices":[{}]}`, -1},
		"events with keep-alive": {keepAlive + helloChunk + doneChunk, -1},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := stage(t, nil, nil).Wrap(upstream{header: asJSON, body: c.body, length: true}).RoundTrip(newPost(t.Context(), t, "https://api.deepseek.com"))
			require.NoError(t, err)
			require.Equal(t, c.want, resp.ContentLength)
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.True(t, c.want < 0 || int(c.want) == len(text))
			require.NoError(t, resp.Body.Close())
		})
	}
}

func TestNoSecretIsTold(t *testing.T) {
	for _, up := range []upstream{
		{status: 429, header: asJSON, body: `{"error":{"message":"SECRET PROMPT","code":"SECRET CODE"}}`},
		{header: asJSON, body: `{"error":{"message":"SECRET PROMPT"}}`},
		{header: asEvents, body: helloChunk + `data: {"error":{"message":"SECRET PROMPT","type":"SECRET"}}` + "\n\n"},
		{header: asEvents, body: `data: {"choices":[{"delta":{"content":"SECRET ANSWER"}}]}` + "\n\n"},
		{header: asEvents, body: `data: {"choices":[{"delta":{"content":"SECRET ANSWER"}}]}` + "\n\n" + usageChunk + doneChunk},
	} {
		var o told
		var s seen
		l := stage(t, nil, &o)
		resp, err := post(t, l, &s, up)
		require.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, resp.Body.Close())
		for _, e := range o.events {
			require.NotContains(t, fmt.Sprintf("%+v", e), "SECRET")
		}
		require.NotContains(t, fmt.Sprintf("%v %+v %+v %+v", err, l.Stats(), s.outcome, s.end.Outcome), "SECRET")
	}
}

// endless is a stream of n bytes.
type endless struct {
	chunk string
	n     int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.n <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n+len(e.chunk) <= len(p) {
		n += copy(p[n:], e.chunk)
	}
	e.n -= n
	return n, nil
}

func TestMemoryStaysFlat(t *testing.T) {
	const size = 100 << 20
	base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		body := io.MultiReader(&endless{helloChunk, size}, strings.NewReader(doneChunk))
		return &http.Response{StatusCode: 200, Header: header(asEvents), Body: io.NopCloser(body), Request: req}, nil
	})
	resp, err := stage(t, nil, nil).Wrap(base).RoundTrip(newPost(t.Context(), t, "https://api.deepseek.com"))
	require.NoError(t, err)
	var before, after runtime.MemStats
	buf := make([]byte, 64<<10)
	runtime.ReadMemStats(&before)
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{resp.Body}, buf)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.GreaterOrEqual(t, n, int64(size))
	require.NoError(t, resp.Body.Close())
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(256<<10), "bytes allocated for 100 MB")
}

func TestOnTheWire(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("http2 %v", http2), func(t *testing.T) {
			next := make(chan string)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				for data := range next {
					if data == "abort" {
						panic(http.ErrAbortHandler)
					}
					_, _ = io.WriteString(w, data)
					_ = http.NewResponseController(w).Flush()
				}
			}))
			server.EnableHTTP2 = http2
			server.StartTLS()
			defer server.Close()
			client := server.Client()
			defer client.CloseIdleConnections()
			client.Transport = stage(t, nil, nil).Wrap(client.Transport)
			go func() {
				for _, data := range []string{keepAlive, roleChunk, keepAlive, helloChunk} {
					next <- data
				}
			}()
			resp, err := client.Do(newPost(t.Context(), t, server.URL))
			require.NoError(t, err)
			got := make([]byte, len(roleChunk+helloChunk))
			_, err = io.ReadFull(resp.Body, got)
			require.NoError(t, err)
			require.Equal(t, roleChunk+helloChunk, string(got))
			next <- "abort"
			_, err = io.ReadAll(resp.Body)
			require.Error(t, err, "a connection that breaks is an error by itself")
			require.NoError(t, resp.Body.Close())
		})
	}
}

// What the stage adds to the time until the first content, over a transport.
func BenchmarkFirstContent(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, roleChunk+helloChunk+stopChunk+doneChunk)
	}))
	defer server.Close()
	bare := &http.Transport{}
	defer bare.CloseIdleConnections()
	for name, rt := range map[string]http.RoundTripper{"bare": bare, "llm": stage(b, nil, nil).Wrap(bare)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				resp, err := rt.RoundTrip(newPost(b.Context(), b, server.URL))
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
}

// What the stage adds to a Read that gives one event.
func BenchmarkRead(b *testing.B) {
	base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		body := io.NopCloser(&endless{helloChunk, math.MaxInt})
		return &http.Response{StatusCode: 200, Header: header(asEvents), Body: body, Request: req}, nil
	})
	for name, rt := range map[string]http.RoundTripper{"bare": base, "llm": stage(b, nil, nil).Wrap(base)} {
		b.Run(name, func(b *testing.B) {
			resp, err := rt.RoundTrip(newPost(b.Context(), b, "https://api.deepseek.com"))
			require.NoError(b, err)
			defer func() { _ = resp.Body.Close() }()
			buf := make([]byte, len(helloChunk))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := resp.Body.Read(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Blank lines are keep-alives in front of an answer that has to come, and are
// labelled as its. Elsewhere they are passed on, however they arrive.
func TestBlankLinesInFront(t *testing.T) {
	for _, c := range []struct {
		name, method, label, body, want string
	}{
		{"of JSON", http.MethodPost, asJSON, "\n \r\n{\"choices\":[]}", `{"choices":[]}`},
		{"of events", http.MethodPost, asEvents, "\n\n" + helloChunk + doneChunk, helloChunk + doneChunk},
		{"of text", http.MethodPost, "Content-Type: text/plain", " \n hello", " \n hello"},
		{"of what has no label", http.MethodPost, "", " hello", " hello"},
		{"of JSON without a label", http.MethodPost, "", "\n\n{\"choices\":[]}", "\n\n{\"choices\":[]}"},
		{"of an answer to a GET", http.MethodGet, asJSON, "\n\n[1]", "\n\n[1]"},
		{"an answer to a GET that is nothing else", http.MethodGet, asJSON, "\n\n", "\n\n"},
	} {
		for _, pieces := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, in pieces %v", c.name, pieces), func(t *testing.T) {
				base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
					resp, err := upstream{header: c.label, body: c.body, length: true}.RoundTrip(req)
					if pieces {
						resp.Body = io.NopCloser(iotest.OneByteReader(resp.Body))
					}
					return resp, err
				})
				req := newPost(t.Context(), t, "https://api.deepseek.com")
				req.Method = c.method
				resp, err := stage(t, nil, nil).Wrap(base).RoundTrip(req)
				require.NoError(t, err)
				text, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.Equal(t, c.want, string(text))
				require.True(t, resp.ContentLength < 0 || int(resp.ContentLength) == len(text))
				require.NoError(t, resp.Body.Close())
			})
		}
	}
}
