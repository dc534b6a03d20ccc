package crew_test

import (
	"context"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware/internal/crew"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestJoinIsBounded(t *testing.T) {
	var c crew.Crew
	require.False(t, c.Join(0))
	require.True(t, c.Join(2))
	require.True(t, c.Join(2))
	require.False(t, c.Join(2))
	require.Equal(t, 2, c.Size())
	c.Leave()
	require.True(t, c.Join(2), "there is room again")
}

func TestNobodyJoinsAfterStop(t *testing.T) {
	var c crew.Crew
	require.True(t, c.Join(math.MaxInt))
	c.Stop()
	require.False(t, c.Join(math.MaxInt))
	require.Equal(t, 1, c.Size(), "who works goes on")
	c.Leave()
	require.False(t, c.Join(math.MaxInt), "for good")
}

func TestWaitEndsWithTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c crew.Crew
		require.NoError(t, c.Wait(t.Context()), "nobody works")
		for i := range 3 {
			require.True(t, c.Join(3))
			time.AfterFunc(time.Duration(i+1)*time.Second, c.Leave)
		}
		begin := time.Now()
		var waiting sync.WaitGroup
		for range 2 {
			waiting.Go(func() {
				if err := c.Wait(t.Context()); err != nil || time.Since(begin) != 3*time.Second {
					t.Errorf("%v after %v", err, time.Since(begin))
				}
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, c.Wait(ctx), context.DeadlineExceeded)
		waiting.Wait()
		require.NoError(t, c.Wait(t.Context()))
	})
}
