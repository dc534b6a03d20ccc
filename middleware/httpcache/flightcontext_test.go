package httpcache

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func newFlightContext(ctx context.Context) *flight {
	f := &flight{}
	f.values = ctx
	f.include(ctx, true)
	return f
}

func TestFlightContextEndsOnceWithTheGivenError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlightContext(t.Context())
		derived, cancel := context.WithCancel(f)
		defer cancel()
		called := 0
		stop := context.AfterFunc(f, func() { t.Error("was stopped") })
		context.AfterFunc(f, func() { called++ })
		require.True(t, stop())
		require.False(t, stop())
		require.NoError(t, f.Err())
		done := f.Done()
		f.end(context.DeadlineExceeded)
		f.end(context.Canceled)
		<-done
		<-f.Done()
		<-derived.Done()
		require.Equal(t, context.DeadlineExceeded, f.Err())
		require.Equal(t, context.DeadlineExceeded, derived.Err())
		synctest.Wait()
		require.Equal(t, 1, called)
	})
}

func TestFlightContextThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlightContext(t.Context())
		f.end(context.Canceled)
		<-f.Done()
		called := make(chan struct{})
		stop := context.AfterFunc(f, func() { close(called) })
		<-called
		require.False(t, stop())
	})
}

func TestFlightContextHasTheLatestDeadline(t *testing.T) {
	at := func(d time.Duration) context.Context {
		ctx, cancel := context.WithDeadline(t.Context(), noon.Add(d))
		t.Cleanup(cancel)
		return ctx
	}
	f := newFlightContext(at(time.Second))
	f.include(at(3*time.Second), false)
	f.include(at(2*time.Second), false)
	deadline, ok := f.Deadline()
	require.True(t, ok)
	require.True(t, deadline.Equal(noon.Add(3*time.Second)))
	f.include(t.Context(), false)
	_, ok = f.Deadline()
	require.False(t, ok, "somebody has none")
	f.include(at(time.Second), false)
	_, ok = f.Deadline()
	require.False(t, ok)
}

func TestFlightContextHasTheValuesOfTheFirst(t *testing.T) {
	type key struct{}
	f := newFlightContext(context.WithValue(t.Context(), key{}, 1))
	require.Equal(t, 1, f.Value(key{}))
	require.Same(t, f, f.Value(flightKey{}))
}
