package httpcache_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
)

// half sends the first half of a body of 48 KiB at once and the rest a second later.
func half() *upstream {
	part := strings.Repeat("x", 24<<10)
	return &upstream{answer: func(int, *http.Request) (*http.Response, error) {
		resp := minute("")()
		resp.ContentLength = 48 << 10
		arrives(resp, part, part)
		return resp, nil
	}}
}

func smallRecording(c *httpcache.Config) {
	c.MaxEntryBytes, c.MaxRecordingBytes = 64<<10, 64<<10
}

// Invariant 2: what is held of all bodies on their way is bounded together. What does not fit passes all the same.
func TestRecordingsAreBoundedInSum(t *testing.T) {
	both(t, func(t *testing.T, change func(*httpcache.Config)) {
		stage := newCache(t, func(c *httpcache.Config) { change(c); smallRecording(c) })
		c := &client{t, middleware.Chain(half(), stage.Wrap)}
		open := func(url string) *http.Response {
			req, _ := http.NewRequest("GET", url, nil)
			resp, err := c.rt.RoundTrip(req)
			require.NoError(t, err)
			_, err = io.CopyN(io.Discard, resp.Body, 24<<10)
			require.NoError(t, err)
			return resp
		}
		const calls = 5
		var responses []*http.Response
		for i := range calls {
			responses = append(responses, open(pageURL+strings.Repeat("x", i)))
			require.LessOrEqual(t, stage.Stats().Recording, int64(64<<10))
		}
		require.NotZero(t, stage.Stats().Recording)
		for _, resp := range responses {
			n, err := io.Copy(io.Discard, resp.Body)
			require.NoError(t, err)
			require.EqualValues(t, 24<<10, n)
			require.NoError(t, resp.Body.Close())
		}
		s := stage.Stats()
		require.NotZero(t, s.Unrecorded)
		require.EqualValues(t, calls, s.Stored+s.Unrecorded)
		require.Zero(t, s.Recording)
		require.True(t, c.hit(t.Context(), pageURL), "the first had room")
	})
}

// A caller who neither reads nor closes, and whose context ends, holds nothing.
func TestAbandonedRecordingsAreGivenBack(t *testing.T) {
	both(t, func(t *testing.T, change func(*httpcache.Config)) {
		stage := newCache(t, func(c *httpcache.Config) { change(c); smallRecording(c) })
		c := &client{t, middleware.Chain(half(), stage.Wrap)}
		ctx, cancel := context.WithCancel(t.Context())
		req, _ := http.NewRequestWithContext(ctx, "GET", pageURL, nil)
		resp, err := c.rt.RoundTrip(req)
		require.NoError(t, err)
		_, err = io.CopyN(io.Discard, resp.Body, 10)
		require.NoError(t, err)
		require.NotZero(t, stage.Stats().Recording)
		cancel()
		synctest.Wait()
		require.Zero(t, stage.Stats().Recording)
		time.Sleep(time.Second)
	})
}
