package fallback_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

var errFull = errors.New("the queue is full")

// What the stage acts on, and the reason that it gives.
func TestActsOn(t *testing.T) {
	for name, c := range map[string]struct {
		upstream http.RoundTripper
		want     fallback.Reason
	}{
		"402, no credit":           {respond(402, "pay"), fallback.ReasonExhausted},
		"429":                      {respond(429, "slow down"), fallback.ReasonPushback},
		"503":                      {respond(503, "busy"), fallback.ReasonBusy},
		"529":                      {respond(529, "busy"), fallback.ReasonBusy},
		"500":                      {respond(500, "oops"), fallback.ReasonFailure},
		"504":                      {respond(504, "late"), fallback.ReasonFailure},
		"a broken connection":      {fail(io.ErrUnexpectedEOF), fallback.ReasonFailure},
		"a refused connection":     {fail(&net.OpError{Op: "dial", Err: errDown}), fallback.ReasonFailure},
		"a name without addresses": {fail(&net.DNSError{Err: "no such host"}), fallback.ReasonFailure},
		"a stage's timeout":        {fail(context.DeadlineExceeded), fallback.ReasonFailure},
		"a stage's refusal":        {fail(&middleware.RejectedError{Stage: "semaphore", Err: errFull}), fallback.ReasonRejected},
		"a refusal without detail": {fail(middleware.ErrRejected), fallback.ReasonRejected},
	} {
		t.Run(name, func(t *testing.T) {
			f, seen := newStage(t, with(sorry))
			req := get(t)
			resp, err := f.Wrap(c.upstream).RoundTrip(req)
			require.NoError(t, err)
			require.Equal(t, 200, resp.StatusCode)
			require.Equal(t, "200 OK", resp.Status)
			require.Equal(t, "static; reason="+string(c.want), resp.Header.Get(fallback.Header))
			require.Equal(t, "application/json", resp.Header.Get("Content-Type"))
			require.Same(t, req, resp.Request)
			require.EqualValues(t, 16, resp.ContentLength)
			require.Equal(t, `{"text":"sorry"}`, read(t, resp))

			e := seen.only(t)
			require.Equal(t, fallback.EventFellBack, e.Kind)
			require.Equal(t, slog.LevelInfo, e.Level)
			require.Equal(t, "fallback", e.Stage)
			require.Equal(t, "api.example.com", e.Key)
			require.Equal(t, string(c.want), attr(e, "reason"))
			require.Equal(t, "static", attr(e, "answer"))
			require.EqualValues(t, 1, f.Stats().Reasons[c.want])
			require.EqualValues(t, 1, f.Stats().FellBack)
		})
	}
}

// What passes through as if the stage were not there.
func TestPassesThrough(t *testing.T) {
	canceled := &middleware.RejectedError{Stage: "semaphore", Err: errors.New("given up while waiting"), Cause: context.Canceled}
	for name, upstream := range map[string]http.RoundTripper{
		"success":                     respond(200, "fine"),
		"a redirect":                  respond(302, ""),
		"a wrong request is unmasked": respond(400, "no such model"),
		"a wrong key is unmasked":     respond(401, "no such key"),
		"not found":                   respond(404, "no"),
		"not implemented":             respond(501, "no"),
		"an untrusted certificate":    fail(x509.UnknownAuthorityError{}),
		"a URL that can't be sent":    fail(errors.New("unsupported protocol scheme \"htp\"")),
		"something's own cancel":      fail(context.Canceled),
	} {
		t.Run(name, func(t *testing.T) {
			for _, plain := range []bool{true, false} {
				cfg := with(sorry)
				if !plain {
					cfg = with(named("canned"), sorry)
				}
				f, seen := newStage(t, cfg, fallback.WithAnswer("canned", fallback.Func(canned)))
				want, wantErr := upstream.RoundTrip(get(t))
				resp, err := f.Wrap(upstream).RoundTrip(get(t))
				require.Equal(t, wantErr, err)
				if want != nil {
					require.Equal(t, want.StatusCode, resp.StatusCode)
					require.Empty(t, resp.Header.Get(fallback.Header))
					require.Equal(t, read(t, want), read(t, resp))
				}
				require.Empty(t, seen.all)
				require.Zero(t, f.Stats().FellBack)
			}
		})
	}
	t.Run("the caller's cancel, though a stage refused or the upstream was busy", func(t *testing.T) { // 11
		for _, upstream := range []http.RoundTripper{fail(canceled), respond(503, "busy")} {
			f, seen := newStage(t, with(sorry))
			ctx, cancel := context.WithCancel(t.Context())
			resp, err := f.Wrap(middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
				cancel()
				return upstream.RoundTrip(req)
			})).RoundTrip(get(t).WithContext(ctx))
			if err == nil {
				require.Equal(t, 503, resp.StatusCode)
				require.NoError(t, resp.Body.Close())
			} else {
				require.ErrorIs(t, err, context.Canceled)
			}
			require.Empty(t, seen.all)
		}
	})
}

func TestOnChoosesTheReasons(t *testing.T) {
	cfg := with(sorry)
	cfg.On = []fallback.Reason{fallback.ReasonBusy}
	f, _ := newStage(t, cfg)
	resp, err := f.Wrap(respond(503, "busy")).RoundTrip(get(t))
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode)
	resp, err = f.Wrap(respond(500, "oops")).RoundTrip(get(t))
	require.NoError(t, err)
	require.Equal(t, 500, resp.StatusCode)
	_, err = f.Wrap(fail(middleware.ErrRejected)).RoundTrip(get(t))
	require.ErrorIs(t, err, middleware.ErrRejected)
}

// 29: that is how it is switched off in a pipeline; for a request, middleware.Skip does.
func TestWithoutAnswersItDoesNothing(t *testing.T) {
	f, seen := newStage(t, fallback.DefaultConfig())
	var got *http.Request
	req := get(t)
	_, err := f.Wrap(middleware.RoundTripperFunc(func(r *http.Request) (*http.Response, error) {
		got = r
		return nil, errDown
	})).RoundTrip(req)
	require.Same(t, errDown, err)
	require.Same(t, req, got)
	require.Empty(t, seen.all)
}

// 23: every caller gets a fresh body, also of one answer at the same time.
func TestEveryCallerGetsAFreshBody(t *testing.T) {
	f, _ := newStage(t, with(sorry))
	rt := f.Wrap(fail(errDown))
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for range 20 {
				resp, err := rt.RoundTrip(get(t))
				if err != nil {
					t.Error(err)
					return
				}
				resp.Header.Set("Content-Type", "changed by a caller")
				half := make([]byte, 8)
				if _, err := io.ReadFull(resp.Body, half); err != nil || string(half) != `{"text":` {
					t.Errorf("got %q, %v", half, err)
				}
				rest, err := io.ReadAll(resp.Body)
				if err != nil || string(rest) != `"sorry"}` {
					t.Errorf("got %q, %v", rest, err)
				}
				_ = resp.Body.Close()
			}
		})
	}
	callers.Wait()
	resp, err := rt.RoundTrip(get(t))
	require.NoError(t, err)
	require.Equal(t, "application/json", resp.Header.Get("Content-Type"))
}

// The verdict of the answer is what stages above see, with the fallback as its reason.
func TestOutcomeOfAnAnsweredCall(t *testing.T) {
	for _, cfg := range []fallback.Config{with(sorry), with(named("canned"))} {
		f, _ := newStage(t, cfg, fallback.WithAnswer("canned", fallback.Func(canned)))
		var ends settled
		above := func(next http.RoundTripper) http.RoundTripper {
			return middleware.RoundTripperFunc(func(req *http.Request) (resp *http.Response, err error) {
				ex, inner := middleware.Join(req)
				defer ex.Leave(req, &resp, &err)
				ex.OnEnd(&ends, 7)
				return next.RoundTrip(inner)
			})
		}
		resp, err := middleware.Chain(respond(503, "busy"), above, f.Wrap).RoundTrip(get(t))
		require.NoError(t, err)
		require.Empty(t, ends, "the call is over when the answer's body is")
		_ = read(t, resp)
		require.Len(t, ends, 1)
		require.Equal(t, middleware.Success, ends[0].Outcome.Verdict)
		require.Equal(t, fallback.OutcomeReason, ends[0].Outcome.Reason)
		require.NoError(t, ends[0].Err)
	}
}

type settled []middleware.End

func (s *settled) Settle(_ uint64, end middleware.End) { *s = append(*s, end) }

// A body that breaks off midway is beyond a fallback: the caller has its beginning.
func TestABodyThatBreaksOffIsNotReplaced(t *testing.T) {
	f, seen := newStage(t, with(sorry))
	broken := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(io.MultiReader(newBody("half"), brokenReader{}))}, nil
	})
	resp, err := f.Wrap(broken).RoundTrip(get(t))
	require.NoError(t, err)
	got, err := io.ReadAll(resp.Body)
	require.ErrorIs(t, err, errDown)
	require.Equal(t, "half", string(got))
	require.Empty(t, seen.all)
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errDown }

// The happy path of a fixed answer adds nothing to what a chain allocates.
func TestHappyPathAllocatesNothing(t *testing.T) {
	f, _ := newStage(t, with(sorry))
	upstream := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: req}, nil
	})
	req := get(t)
	allocs := func(rt http.RoundTripper) float64 {
		return testing.AllocsPerRun(200, func() { _, _ = rt.RoundTrip(req) })
	}
	require.Equal(t, allocs(middleware.Chain(upstream, middlewaretest.Settling)), allocs(middleware.Chain(upstream, middlewaretest.Settling, f.Wrap)))
}
