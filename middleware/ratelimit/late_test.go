package ratelimit

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

func testBucket(cfg Config) *bucket {
	var live atomic.Pointer[settings]
	live.Store(newSettings(cfg, nil))
	return newBucket("a", &live)
}

// lateBucket has no token, and a waiter that was let in but comes too late,
// as happens where the program does not get to run for a while.
func lateBucket() (*bucket, *waiter) {
	cfg := DefaultConfig()
	cfg.Requests, cfg.Burst = 1, 1
	b := testBucket(cfg)
	b.pass(0)
	w := &waiter{until: time.Now().Add(time.Second / 2), cause: context.DeadlineExceeded, turn: make(chan struct{}, 1)}
	b.queue.insert(0, w)
	return b, w
}

func exchange(t *testing.T) *middleware.Exchange {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://a/", nil)
	require.NoError(t, err)
	ex, _ := middleware.Join(req)
	return ex
}

func TestHeadWhoseTokenComesTooLateIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, w := lateBucket()
		next := &waiter{until: time.Now().Add(time.Second), turn: make(chan struct{}, 1)}
		b.queue.insert(1, next)
		require.True(t, b.decided(w))
		require.Equal(t, &refusal{err: ErrTooLate, cause: context.DeadlineExceeded, after: time.Second}, w.refusal)
		require.Equal(t, queue{next}, b.queue)
		require.Len(t, next.turn, 1, "the next one is told that it is the head")
	})
}

func TestRefusalThatComesTogetherWithACancelCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, w := lateBucket()
		require.True(t, b.decided(w))
		require.Same(t, w.refusal, b.abandon(t.Context(), w, exchange(t)))
		require.EqualValues(t, 1, b.counts.refused)
	})
}

func TestLimitThatEndsTheWaitIsTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, w := lateBucket()
		ex := exchange(t)
		limit := errors.Join(errors.New("timeout/total"), context.DeadlineExceeded)
		ex.Limit(time.Now().Add(time.Second/2), limit)
		<-ex.Done()
		require.Equal(t, &refusal{err: ErrTooLate, cause: limit}, b.abandon(ex, w, ex))
		require.Empty(t, b.queue)
	})
}
