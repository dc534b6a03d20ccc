package timeout_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/timeout"
)

const limit = 30 * time.Second

// Requirement 24 of the resilience list: an idle timeout counts progress, not bytes.
func TestAStreamUnderAnIdleLimit(t *testing.T) {
	everyTwenty := append(repeat(1000, part{20 * time.Second, alive}), forever)
	for _, tt := range []struct {
		name   string
		parts  []part
		stages []middleware.Middleware // below the timeout
		cut    time.Duration           // since the call began; 0: it is not
		ends   time.Duration
	}{
		{name: "slow tokens survive", parts: repeat(100, part{29 * time.Second, token}), ends: 2900 * time.Second},
		{name: "slow tokens survive, reported by a provider stage", parts: repeat(100, part{29 * time.Second, token}), stages: []middleware.Middleware{provider}, ends: 2900 * time.Second},
		{name: "tokens among keep-alives survive", stages: []middleware.Middleware{provider},
			parts: []part{{20 * time.Second, alive}, {9 * time.Second, token}, {20 * time.Second, alive}, {9 * time.Second, token}}, ends: 58 * time.Second},
		{name: "only keep-alives are cut, if a provider stage knows them", parts: everyTwenty, stages: []middleware.Middleware{provider}, cut: limit},
		{name: "only keep-alives survive where they are bytes like others", parts: repeat(100, part{20 * time.Second, alive}), ends: 2000 * time.Second},
		{name: "nothing after the headers", parts: []part{forever}, cut: limit},
		{name: "silence after a token", parts: []part{{10 * time.Second, token}, forever}, cut: 40 * time.Second},
		{name: "keep-alives after a token", parts: append([]part{{10 * time.Second, token}}, everyTwenty...), stages: []middleware.Middleware{provider}, cut: 40 * time.Second},
		{name: "a silence of just less", parts: []part{{limit - time.Millisecond, token}}, ends: limit - time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire(t, streaming(tt.parts...), func(t *testing.T, base *http.Transport) {
				start := time.Now()
				var seen observed
				var settled ends
				s := newStage(t, limit, timeout.UntilProgress, &seen)
				rt := middleware.Chain(base, append([]middleware.Middleware{settled.wrap, s.Wrap}, tt.stages...)...)
				resp, err := rt.RoundTrip(get(t))
				require.NoError(t, err)
				_, err = io.Copy(io.Discard, resp.Body)
				require.NoError(t, resp.Body.Close())
				synctest.Wait() // the limit settles in a goroutine of its own
				if tt.cut == 0 {
					require.NoError(t, err)
					require.Equal(t, tt.ends, time.Since(start))
					require.Empty(t, seen.all())
					require.Equal(t, middleware.Success, settled.only(t).Outcome.Verdict)
					return
				}
				require.Equal(t, tt.cut, time.Since(start))
				requireTimedOut(t, timedOut(limit, timeout.UntilProgress), err)
				require.Len(t, seen.all(), 1)
				require.Equal(t, uint64(1), s.Stats().TimedOut)
				outcome := settled.only(t).Outcome
				require.Equal(t, middleware.Failure, outcome.Verdict)
				require.Equal(t, middleware.ReasonTimeout, outcome.Reason)
			})
		})
	}
}

// What the caller takes its time for is not the upstream's silence.
func TestACallerThatTakesItsTime(t *testing.T) {
	read := func(t *testing.T, body io.Reader, want string) {
		t.Helper()
		p := make([]byte, 100)
		n, err := body.Read(p)
		require.NoError(t, err)
		require.Equal(t, want, string(p[:n]))
	}
	t.Run("is not cut, and a Read that waits is", func(t *testing.T) {
		wire(t, streaming(part{0, token}, part{0, token}, forever), func(t *testing.T, base *http.Transport) {
			resp, err := newStage(t, limit, timeout.UntilProgress, nil).Wrap(base).RoundTrip(get(t))
			require.NoError(t, err)
			for range 2 {
				time.Sleep(10 * time.Minute)
				p := make([]byte, len(token))
				_, err = io.ReadFull(resp.Body, p)
				require.NoError(t, err)
				require.Equal(t, token, string(p))
			}
			time.Sleep(10 * time.Minute)
			start := time.Now()
			_, err = resp.Body.Read(make([]byte, 1))
			requireTimedOut(t, timedOut(limit, timeout.UntilProgress), err)
			require.Equal(t, limit, time.Since(start))
			require.NoError(t, resp.Body.Close())
		})
	})
	t.Run("between keep-alives: only the waiting adds up", func(t *testing.T) {
		release := make(chan struct{})
		wire(t, func(w http.ResponseWriter, r *http.Request) {
			streaming()(w, r)
			for {
				select {
				case <-r.Context().Done():
					return
				case <-release:
				}
				streaming(part{20 * time.Second, alive})(w, r)
			}
		}, func(t *testing.T, base *http.Transport) {
			release = make(chan struct{})
			resp, err := middleware.Chain(base, newStage(t, limit, timeout.UntilProgress, nil).Wrap, provider).RoundTrip(get(t))
			require.NoError(t, err)
			time.Sleep(10 * time.Minute)
			release <- struct{}{}
			start := time.Now()
			read(t, resp.Body, alive)
			require.Equal(t, 20*time.Second, time.Since(start))
			time.Sleep(10 * time.Minute)
			release <- struct{}{}
			start = time.Now()
			_, err = resp.Body.Read(make([]byte, 1))
			requireTimedOut(t, timedOut(limit, timeout.UntilProgress), err)
			require.Equal(t, 10*time.Second, time.Since(start))
			require.NoError(t, resp.Body.Close())
		})
	})
	t.Run("before the first content", func(t *testing.T) {
		wire(t, streaming(part{0, token}, part{2 * limit, token}), func(t *testing.T, base *http.Transport) {
			resp, err := newStage(t, limit, timeout.UntilContent, nil).Wrap(base).RoundTrip(get(t))
			require.NoError(t, err)
			time.Sleep(10 * time.Minute)
			b, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, token+token, string(b))
			require.NoError(t, resp.Body.Close())
		})
	})
}

func TestTheFirstContent(t *testing.T) {
	for _, tt := range []struct {
		name    string
		headers time.Duration // when they come
		parts   []part
		stages  []middleware.Middleware
		cut     time.Duration
		ends    time.Duration
	}{
		{name: "in time, and long silences after it", parts: []part{{29 * time.Second, token}, {time.Hour, token}}, ends: time.Hour + 29*time.Second},
		{name: "not before the limit", parts: []part{forever}, cut: limit},
		{name: "headers late, content not before the limit", headers: 20 * time.Second, parts: []part{{11 * time.Second, token}}, cut: limit},
		{name: "headers late, content in time", headers: 20 * time.Second, parts: []part{{9 * time.Second, token}, {time.Hour, token}}, ends: time.Hour + 29*time.Second},
		{name: "not even headers", headers: 31 * time.Second, cut: limit},
		{name: "keep-alives only", parts: append(repeat(10, part{9 * time.Second, alive}), forever), stages: []middleware.Middleware{provider}, cut: limit},
		{name: "keep-alives that are bytes like others", parts: repeat(10, part{9 * time.Second, alive}), ends: 90 * time.Second},
		{name: "an empty body", parts: []part{{29 * time.Second, ""}}, ends: 29 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			handler := func(w http.ResponseWriter, r *http.Request) {
				select {
				case <-time.After(tt.headers):
					streaming(tt.parts...)(w, r)
				case <-r.Context().Done():
				}
			}
			wire(t, handler, func(t *testing.T, base *http.Transport) {
				start := time.Now()
				s := newStage(t, limit, timeout.UntilContent, nil)
				resp, err := middleware.Chain(base, append([]middleware.Middleware{s.Wrap}, tt.stages...)...).RoundTrip(get(t))
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					require.NoError(t, resp.Body.Close())
				}
				synctest.Wait()
				if tt.cut == 0 {
					require.NoError(t, err)
					require.Equal(t, tt.ends, time.Since(start))
					return
				}
				requireTimedOut(t, timedOut(limit, timeout.UntilContent), err)
				require.Equal(t, tt.cut, time.Since(start))
				require.Equal(t, timeout.Stats{Until: timeout.UntilContent, TimedOut: 1}, s.Stats())
			})
		})
	}
}

// A provider stage holds the headers back until there is content; what it then
// hands out was content already.
func TestContentThatAProviderHasReadAhead(t *testing.T) {
	ahead := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
			ex, inner := middleware.Join(req)
			defer ex.Leave(req, &resp, &err)
			ex.ReportsProgress()
			resp, err = next.RoundTrip(inner)
			if err == nil {
				middleware.Peek(resp, middleware.Bytes(len(token)))
				ex.Progress()
			}
			return resp, err
		})
	}
	wire(t, streaming(part{29 * time.Second, token}, part{10 * time.Minute, token}), func(t *testing.T, base *http.Transport) {
		start := time.Now()
		resp, err := middleware.Chain(base, newStage(t, limit, timeout.UntilContent, nil).Wrap, ahead).RoundTrip(get(t))
		require.NoError(t, err)
		require.Equal(t, 29*time.Second, time.Since(start))
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, token+token, string(b))
		require.NoError(t, resp.Body.Close())
	})
}

// twice makes a first attempt, reads its body and throws it away, and returns a second one.
func twice(next http.RoundTripper) http.RoundTripper {
	attempt := func(ex *middleware.Exchange, req *http.Request) (resp *http.Response, err error) {
		child, inner := ex.Child(req)
		defer child.Leave(req, &resp, &err)
		return next.RoundTrip(inner)
	}
	return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
		ex, inner := middleware.Join(req)
		resp, err := attempt(ex, inner)
		if err != nil {
			return nil, err
		}
		if !middleware.Retain(resp, 1<<10) {
			return nil, errors.New("not retained")
		}
		return attempt(ex, inner)
	})
}

// Around a retry, what is read of an attempt that is thrown away is not the content of the answer.
func TestSilencesOfACallWithTwoAttempts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		until  string
		stages []middleware.Middleware
		cut    time.Duration
	}{
		{"content", timeout.UntilContent, nil, limit},
		{"content, reported", timeout.UntilContent, []middleware.Middleware{provider}, limit},
		{"progress", timeout.UntilProgress, nil, 10*time.Second + limit},
		{"progress, reported", timeout.UntilProgress, []middleware.Middleware{provider}, 10*time.Second + limit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			handler := func(w http.ResponseWriter, r *http.Request) {
				if n++; n%2 == 1 {
					streaming(part{10 * time.Second, "busy"})(w, r)
				} else {
					streaming(forever)(w, r)
				}
			}
			wire(t, handler, func(t *testing.T, base *http.Transport) {
				start := time.Now()
				resp, err := middleware.Chain(base, append([]middleware.Middleware{newStage(t, limit, tt.until, nil).Wrap, twice}, tt.stages...)...).RoundTrip(get(t))
				require.NoError(t, err)
				require.Equal(t, 10*time.Second, time.Since(start))
				_, err = io.ReadAll(resp.Body)
				requireTimedOut(t, timedOut(limit, tt.until), err)
				require.Equal(t, tt.cut, time.Since(start))
				require.NoError(t, resp.Body.Close())
			})
		})
	}
}

// threes is a body of which a Read gives three tokens at once, as a decoder's would.
type threes struct{ io.ReadCloser }

func (r threes) Read(p []byte) (int, error) { return io.ReadAtLeast(r.ReadCloser, p, 3*len(token)) }

// A stage that wraps the body puts a second watch around the first.
func TestAnIdleLimitAroundAWrappedBody(t *testing.T) {
	wrapping := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			if err == nil {
				resp.Body = threes{resp.Body}
			}
			return resp, err
		})
	}
	for name, stages := range map[string][]middleware.Middleware{
		"bytes":                    {wrapping, middlewaretest.Attempting},
		"reported":                 {wrapping, middlewaretest.Attempting, provider},
		"reported within one Read": {wrapping, provider},
	} {
		t.Run(name, func(t *testing.T) {
			wire(t, streaming(append(repeat(5, part{29 * time.Second, token}), forever)...), func(t *testing.T, base *http.Transport) {
				start := time.Now()
				rt := middleware.Chain(base, append([]middleware.Middleware{newStage(t, limit, timeout.UntilProgress, nil).Wrap}, stages...)...)
				resp, err := rt.RoundTrip(get(t))
				require.NoError(t, err)
				_, err = io.ReadAll(resp.Body)
				requireTimedOut(t, timedOut(limit, timeout.UntilProgress), err)
				require.Equal(t, 5*29*time.Second+limit, time.Since(start))
				require.NoError(t, resp.Body.Close())
			})
		})
	}
}

// An attempt that lost a race and whose Read goes on, deaf to its context, neither starts nor stops the clock.
func TestAReadOfALostAttemptGoesOn(t *testing.T) {
	for until, cut := range map[string]bool{timeout.UntilContent: false, timeout.UntilProgress: true} {
		t.Run(until, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bodies := 0
				base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
					body := &late{context.Background(), time.Hour, strings.NewReader("lost")} // of the loser
					if bodies++; bodies == 2 {
						body = &late{req.Context(), 0, io.MultiReader(strings.NewReader(token), &late{req.Context(), time.Minute, strings.NewReader(token)})}
					}
					return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body), Request: req}, nil
				})
				race := func(next http.RoundTripper) http.RoundTripper {
					attempt := middlewaretest.Attempting(next)
					return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
						lost, err := attempt.RoundTrip(req)
						require.NoError(t, err)
						go func() { _, _ = io.ReadAll(lost.Body) }()
						synctest.Wait()
						return attempt.RoundTrip(req)
					})
				}
				start := time.Now()
				resp, err := middleware.Chain(base, newStage(t, limit, until, nil).Wrap, race).RoundTrip(get(t))
				require.NoError(t, err)
				b, err := io.ReadAll(resp.Body)
				if cut {
					requireTimedOut(t, timedOut(limit, until), err)
					require.Equal(t, limit, time.Since(start))
				} else {
					require.NoError(t, err)
					require.Equal(t, token+token, string(b))
				}
				require.NoError(t, resp.Body.Close())
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

// On an upgraded connection nobody may say anything for a long time.
func TestAnUpgradedConnectionMayBeSilent(t *testing.T) {
	for _, until := range []string{timeout.UntilContent, timeout.UntilProgress} {
		t.Run(until, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: http.StatusSwitchingProtocols, Body: io.NopCloser(&late{req.Context(), time.Hour, strings.NewReader("hello")}), Request: req}, nil
				})
				resp, err := newStage(t, limit, until, nil).Wrap(base).RoundTrip(get(t))
				require.NoError(t, err)
				b, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.Equal(t, "hello", string(b))
				require.NoError(t, resp.Body.Close())
			})
		})
	}
}

// late is a reader that has nothing for a time.
type late struct {
	ctx   context.Context
	after time.Duration
	io.Reader
}

func (l *late) Read(p []byte) (int, error) {
	select {
	case <-l.ctx.Done():
		return 0, l.ctx.Err()
	case <-time.After(l.after):
		l.after = 0
		return l.Reader.Read(p)
	}
}
