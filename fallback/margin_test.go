package fallback_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
)

func TestAnswerComesBeforeTheCallersDeadline(t *testing.T) {
	slow := fallback.Func(func(*http.Request, fallback.Failure) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("second best"))}, nil
	})
	for name, c := range map[string]struct {
		answer   fallback.AnswerConfig
		margin   time.Duration
		deadline time.Duration
		after    time.Duration
	}{
		"static":                     {fallback.AnswerConfig{Static: &fallback.Static{Status: 200}}, 20 * time.Millisecond, time.Second, 980 * time.Millisecond},
		"func":                       {fallback.AnswerConfig{Func: "slow"}, 20 * time.Millisecond, time.Second, 980 * time.Millisecond},
		"a tenth of a short one":     {fallback.AnswerConfig{Static: &fallback.Static{Status: 200}}, time.Second, 100 * time.Millisecond, 90 * time.Millisecond},
		"at the deadline without it": {fallback.AnswerConfig{Static: &fallback.Static{Status: 200}}, 0, time.Second, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := fallback.DefaultConfig()
				cfg.Margin, cfg.Answers = c.margin, []fallback.AnswerConfig{c.answer}
				f, err := fallback.New(cfg, fallback.WithAnswer("slow", slow))
				require.NoError(t, err)
				ctx, cancel := context.WithTimeout(t.Context(), c.deadline)
				defer cancel()
				req, _ := http.NewRequestWithContext(ctx, "GET", "http://a/", nil)
				start := time.Now()
				resp, err := f.Wrap(hang).RoundTrip(req)
				require.NoError(t, err)
				require.Equal(t, c.after, time.Since(start))
				require.NotEmpty(t, resp.Header.Get("Headgate-Fallback"))
				_, err = io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
			})
		})
	}
}

func TestMarginDoesNotCutTheBodyOfAnAnswerInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fallback.DefaultConfig()
		cfg.Answers = []fallback.AnswerConfig{{Static: &fallback.Static{Status: 200}}}
		f, err := fallback.New(cfg)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, "GET", "http://a/", nil)
		resp, err := f.Wrap(middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			_ = req.Context().Done() // as a transport does
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("fresh"))}, nil
		})).RoundTrip(req)
		require.NoError(t, err)
		time.Sleep(990 * time.Millisecond)
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, "fresh", string(b))
	})
}
