package fallback_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
)

var errNone = errors.New("nothing here either")

func failing(*http.Request, fallback.Failure) (*http.Response, error) { return nil, errNone }

func TestTheNextAnswerIfOneFails(t *testing.T) {
	f, seen := newStage(t, with(named("first"), named("second"), sorry),
		fallback.WithAnswer("first", fallback.Func(failing)), fallback.WithAnswer("second", fallback.Instant(canned)))
	resp, err := f.Wrap(fail(errDown)).RoundTrip(get(t))
	require.NoError(t, err)
	require.Equal(t, "second; reason=failure", resp.Header.Get(fallback.Header))
	require.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	require.Equal(t, "canned", read(t, resp))

	e := seen.only(t)
	require.Equal(t, slog.LevelWarn, e.Level, "an answer failed before")
	require.Equal(t, "second", attr(e, "answer"))
	require.ErrorIs(t, e.Err, errDown)
	require.ErrorIs(t, e.Err, errNone)
	var failed *fallback.AnswerError
	require.ErrorAs(t, e.Err, &failed)
	require.Equal(t, "first", failed.Answer)
	require.EqualError(t, failed, "answer first: nothing here either")
	require.Equal(t, []fallback.AnswerStats{{Name: "first", Failed: 1}, {Name: "second", Given: 1}, {Name: "static"}}, f.Stats().Answers)
}

// Whatever the answers do: the first one that can be given is, and without one the original error goes back.
func TestFirstGivenAnswerWins(t *testing.T) {
	answers := map[byte]fallback.Answer{
		'F': fallback.Func(failing), 'I': fallback.Instant(failing), // fail
		'f': fallback.Func(canned), 'i': fallback.Instant(canned), // answer
	}
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.StringOfN(rapid.RuneFrom([]rune("FFFIIfi")), 0, 6, -1).Draw(t, "answers")
		cfg, opts, want := fallback.DefaultConfig(), []fallback.Option(nil), ""
		for i := range len(kinds) {
			name := "a" + strings.Repeat("x", i)
			cfg.Answers = append(cfg.Answers, named(name))
			opts = append(opts, fallback.WithAnswer(name, answers[kinds[i]]))
			if want == "" && strings.ContainsAny(kinds[i:i+1], "fi") {
				want = name + "; reason=failure"
			}
		}
		f, err := fallback.New(cfg, opts...)
		if err != nil {
			t.Fatal(err)
		}
		req, _ := http.NewRequest("GET", "http://a/", nil)
		resp, err := f.Wrap(fail(errDown)).RoundTrip(req)
		switch {
		case want == "" && err != errDown:
			t.Fatalf("got %v, want the original error", err)
		case want != "" && err != nil:
			t.Fatalf("got %v, want the answer %q", err, want)
		case want != "" && resp.Header.Get(fallback.Header) != want:
			t.Fatalf("got %q, want %q", resp.Header.Get(fallback.Header), want)
		}
	})
}

func TestFailureSaysWhatHappened(t *testing.T) {
	var got fallback.Failure
	note := fallback.Func(func(req *http.Request, failure fallback.Failure) (*http.Response, error) {
		got = failure
		return canned(req, failure)
	})
	f, _ := newStage(t, with(named("note")), fallback.WithAnswer("note", note))
	_, err := f.Wrap(fail(errDown)).RoundTrip(get(t))
	require.NoError(t, err)
	require.Equal(t, fallback.ReasonFailure, got.Reason)
	require.ErrorIs(t, got.Err, errDown)
	require.Nil(t, got.Header)
	require.NotNil(t, got.Next)

	_, err = f.Wrap(respond(429, "slow down")).RoundTrip(get(t))
	require.NoError(t, err)
	require.Equal(t, fallback.ReasonPushback, got.Reason)
	require.Equal(t, middleware.Pushback, got.Outcome.Verdict)
	require.Equal(t, "upstream", got.Header.Get("X-From"))
	require.NoError(t, got.Err)
}

// What an answer returns becomes a response as a RoundTripper's has to be.
func TestHandMadeResponsesAreCompleted(t *testing.T) {
	text := newBody("text")
	for name, c := range map[string]struct {
		method string
		resp   *http.Response
		length int64
		body   string
	}{
		"nothing but a status":        {"GET", &http.Response{StatusCode: 200}, 0, ""},
		"a body of unknown length":    {"GET", &http.Response{StatusCode: 200, Body: text}, -1, "text"},
		"a body of known length":      {"GET", &http.Response{StatusCode: 200, Body: newBody("text"), ContentLength: 4}, 4, "text"},
		"HEAD does not give the body": {"HEAD", &http.Response{StatusCode: 200, Body: newBody("text"), ContentLength: 4}, 4, ""},
	} {
		t.Run(name, func(t *testing.T) {
			own := c.resp.Body
			f, _ := newStage(t, with(named("made")), fallback.WithAnswer("made",
				fallback.Func(func(*http.Request, fallback.Failure) (*http.Response, error) { return c.resp, nil })))
			req := get(t)
			req.Method = c.method
			resp, err := f.Wrap(fail(errDown)).RoundTrip(req)
			require.NoError(t, err)
			require.Equal(t, "200 OK", resp.Status)
			require.Equal(t, 1, resp.ProtoMajor)
			require.Equal(t, "made; reason=failure", resp.Header.Get(fallback.Header))
			require.Same(t, req, resp.Request)
			require.Equal(t, c.length, resp.ContentLength)
			require.Equal(t, c.body, read(t, resp))
			if own != nil {
				require.NotZero(t, own.(*body).closed.Load())
			}
		})
	}
}

func TestAnswersThatAreNoneCountAsFailed(t *testing.T) {
	both := newBody("text")
	for name, c := range map[string]struct {
		resp *http.Response
		err  error
		want error
	}{
		"neither response nor error": {nil, nil, fallback.ErrNoResponse},
		"no status code":             {&http.Response{Body: newBody("")}, nil, fallback.ErrNoStatus},
		"both response and error":    {&http.Response{StatusCode: 200, Body: both}, errNone, errNone},
	} {
		t.Run(name, func(t *testing.T) {
			f, seen := newStage(t, with(named("odd")), fallback.WithAnswer("odd",
				fallback.Func(func(*http.Request, fallback.Failure) (*http.Response, error) { return c.resp, c.err })))
			resp, err := f.Wrap(fail(errDown)).RoundTrip(get(t))
			require.Nil(t, resp)
			require.Same(t, errDown, err)
			e := seen.only(t)
			require.Equal(t, fallback.EventFailed, e.Kind)
			require.Equal(t, slog.LevelWarn, e.Level)
			require.ErrorIs(t, e.Err, c.want)
			require.EqualValues(t, 1, f.Stats().Failed)
		})
	}
	require.EqualValues(t, 1, both.closed.Load())
}

// readAll answers with the request's body, read as often as it is asked to.
func readAll(req *http.Request, _ fallback.Failure) (*http.Response, error) {
	text, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	if err := req.Body.Close(); err != nil {
		return nil, err
	}
	again, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	second, err := io.ReadAll(again)
	_ = again.Close()
	if err != nil || !bytes.Equal(text, second) {
		return nil, errors.New("the second reading gave something else")
	}
	return fallback.Static{Status: 200, Body: string(text)}.Response(req), nil
}

func TestAnswersReadTheRequestsBody(t *testing.T) {
	consume := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, req.Body)
		return fail(errDown)(req)
	})
	for name, answer := range map[string]fallback.Answer{"func": fallback.Func(readAll), "instant": fallback.Instant(readAll)} {
		f, seen := newStage(t, with(named("echo")), fallback.WithAnswer("echo", answer))
		for upstreamName, upstream := range map[string]http.RoundTripper{"read by the upstream": consume, "not read": fail(errDown)} {
			t.Run(name+" "+upstreamName, func(t *testing.T) {
				t.Run("with GetBody", func(t *testing.T) {
					req, err := http.NewRequest("POST", "http://a/", strings.NewReader("prompt"))
					require.NoError(t, err)
					resp, err := f.Wrap(upstream).RoundTrip(req)
					require.NoError(t, err)
					require.Equal(t, "prompt", read(t, resp))
				})
				t.Run("recorded, and closed in the end", func(t *testing.T) {
					own := newBody("prompt")
					req, err := http.NewRequest("POST", "http://a/", own)
					require.NoError(t, err)
					resp, err := f.Wrap(upstream).RoundTrip(req)
					require.NoError(t, err)
					require.Equal(t, "prompt", read(t, resp))
					require.EqualValues(t, 1, own.closed.Load())
				})
				t.Run("longer than the buffer", func(t *testing.T) {
					seen.all = nil
					own := newBody(strings.Repeat("x", 65<<10))
					req, err := http.NewRequest("POST", "http://a/", own)
					require.NoError(t, err)
					resp, err := f.Wrap(consume).RoundTrip(req)
					require.Nil(t, resp)
					require.Same(t, errDown, err)
					require.ErrorIs(t, seen.only(t).Err, middleware.ErrNotReplayable)
					require.EqualValues(t, 1, own.closed.Load())
				})
			})
		}
	}
}

func TestAStaticAnswerLeavesTheRequestsBodyAlone(t *testing.T) {
	f, _ := newStage(t, with(sorry))
	own := newBody("prompt")
	req, err := http.NewRequest("POST", "http://a/", own)
	require.NoError(t, err)
	resp, err := f.Wrap(middleware.RoundTripperFunc(func(r *http.Request) (*http.Response, error) {
		require.Same(t, own, r.Body, "neither copied nor recorded")
		return fail(errDown)(r)
	})).RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, `{"text":"sorry"}`, read(t, resp))
	require.EqualValues(t, 1, own.closed.Load())
}

// An answer may send the request to another upstream, through all that stands below the stage.
func TestAnotherUpstreamThroughNext(t *testing.T) {
	elsewhere := fallback.Func(func(req *http.Request, failure fallback.Failure) (*http.Response, error) {
		second := req.Clone(req.Context())
		second.URL.Host, second.Host = "second.example.com", ""
		return failure.Next.RoundTrip(second)
	})
	var hosts []string
	below := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		hosts = append(hosts, req.URL.Host)
		text, err := io.ReadAll(req.Body)
		require.NoError(t, err)
		if req.URL.Host == "api.example.com" {
			return respond(503, "busy")(req)
		}
		return respond(201, "second: "+string(text))(req)
	})
	f, _ := newStage(t, with(named("second"), sorry), fallback.WithAnswer("second", elsewhere))
	own := newBody("prompt")
	req, err := http.NewRequest("POST", "http://api.example.com/", own)
	require.NoError(t, err)
	resp, err := middleware.Chain(below, f.Wrap).RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, 201, resp.StatusCode)
	require.Equal(t, "second; reason=busy", resp.Header.Get(fallback.Header))
	require.Equal(t, "second: prompt", read(t, resp))
	require.Same(t, req, resp.Request)
	require.Equal(t, []string{"api.example.com", "second.example.com"}, hosts)
	require.Equal(t, "api.example.com", req.URL.Host, "the caller's request is not modified")
	require.EqualValues(t, 1, own.closed.Load())
}

// 5: a panic, of the upstream or of an answer, goes on up, and nothing stays open.
func TestPanicsGoOnUp(t *testing.T) {
	crash := fallback.Func(func(*http.Request, fallback.Failure) (*http.Response, error) { panic(errNone) })
	f, _ := newStage(t, with(named("crash")), fallback.WithAnswer("crash", crash))
	var ctx context.Context
	original := newBody("busy")
	require.PanicsWithValue(t, errNone, func() {
		_, _ = f.Wrap(middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			ctx = req.Context()
			return &http.Response{StatusCode: 503, Body: original}, nil
		})).RoundTrip(get(t))
	})
	require.Error(t, ctx.Err())
	require.NotZero(t, original.closed.Load())
}

// What an answer leaves open when it fails is closed for it, and the next answer has the whole body again.
func TestAnAnswerThatFailsMidwayInTheRequestsBody(t *testing.T) {
	var half io.ReadCloser
	midway := fallback.Func(func(req *http.Request, _ fallback.Failure) (*http.Response, error) {
		half = req.Body
		if _, err := io.ReadFull(req.Body, make([]byte, 3)); err != nil {
			return nil, err
		}
		return nil, errNone
	})
	f, _ := newStage(t, with(named("midway"), named("echo")),
		fallback.WithAnswer("midway", midway), fallback.WithAnswer("echo", fallback.Func(readAll)))
	own := newBody("prompt")
	req, err := http.NewRequest("POST", "http://a/", own)
	require.NoError(t, err)
	resp, err := f.Wrap(fail(errDown)).RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, "prompt", read(t, resp))
	require.EqualValues(t, 1, own.closed.Load())
	_, err = half.Read(make([]byte, 3))
	require.ErrorIs(t, err, http.ErrBodyReadAfterClose)
	require.NoError(t, half.Close(), "as often as one likes")
}

func TestUpdateWhileCallsAreMade(t *testing.T) {
	f, _ := newStage(t, with(sorry), fallback.WithAnswer("canned", fallback.Func(canned)))
	rt := f.Wrap(respond(503, "busy"))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 100 {
				if err := f.Update(with([]fallback.AnswerConfig{sorry, named("canned")}[i%2])); err != nil {
					t.Error(err)
				}
				resp, err := rt.RoundTrip(get(t))
				if err != nil || resp.StatusCode != 200 {
					t.Errorf("got %v, %v", resp, err)
					return
				}
				_ = resp.Body.Close()
				_ = f.Stats()
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 800, f.Stats().FellBack)
}
