package middleware_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

type ctxKey struct{}

// joined gives an exchange, and what ends it: the error of RoundTrip.
func joined(ctx context.Context, t testing.TB) (*middleware.Exchange, *http.Request, func()) {
	req := request(ctx, t)
	ex, inner := middleware.Join(req)
	return ex, inner, func() {
		var resp *http.Response
		err := errBroken
		ex.Leave(req, &resp, &err)
	}
}

func TestDeadlineIsTheEarliestOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		ex, req, end := joined(ctx, t)
		defer end()
		child, _ := ex.Child(req)
		grandchild, _ := child.Child(req)
		other := errors.New("another limit")
		at := func(e *middleware.Exchange) time.Duration {
			d, ok := e.Deadline()
			require.True(t, ok)
			return d.Sub(start)
		}
		require.Equal(t, 10*time.Second, at(grandchild), "the caller's")
		child.Limit(start.Add(5*time.Second), errLimit)
		require.Equal(t, 5*time.Second, at(grandchild))
		require.Equal(t, 10*time.Second, at(ex), "an attempt's limit is not the call's")
		child.Limit(start.Add(4*time.Second), other)
		require.Equal(t, 4*time.Second, at(child))
		ex.Limit(start.Add(time.Second), errLimit)
		require.Equal(t, time.Second, at(grandchild), "the call's")
		ex.Limit(time.Time{}, errLimit)
		child.Limit(time.Time{}, other)
		require.Equal(t, 5*time.Second, at(grandchild))
		child.Limit(time.Time{}, errLimit)
		require.Equal(t, 10*time.Second, at(grandchild))
	})
	ex, _, end := joined(t.Context(), t)
	defer end()
	_, ok := ex.Deadline()
	require.False(t, ok, "nobody set any")
}

func TestAnExchangeIsTheContextOfItsRequest(t *testing.T) {
	ctx := context.WithValue(t.Context(), ctxKey{}, "the caller's")
	ex, req, end := joined(ctx, t)
	require.Same(t, ex, middleware.FromContext(req.Context()))
	require.Equal(t, "the caller's", ex.Value(ctxKey{}))
	require.Nil(t, ex.Value("unknown"))
	require.NoError(t, ex.Err())
	require.NoError(t, context.Cause(ex))
	child, childReq := ex.Child(req)
	require.Same(t, child, middleware.FromContext(childReq.Context()))
	require.Equal(t, "the caller's", child.Value(ctxKey{}))
	done := ex.Done()
	require.Equal(t, done, ex.Done(), "the same channel each time")
	select {
	case <-done:
		t.Fatal("is done though it runs")
	default:
	}
	end()
	<-done
	<-child.Done()
	require.Equal(t, context.Canceled, ex.Err())
	require.Equal(t, context.Canceled, child.Err())
	require.Equal(t, context.Canceled, context.Cause(ex))
	require.Nil(t, middleware.FromContext(ex), "it has ended")
	require.Nil(t, middleware.FromContext(t.Context()))
}

func TestADerivedContextStillFindsTheExchange(t *testing.T) {
	var rec recorder
	var seen string
	deriving := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			return next.RoundTrip(req.WithContext(context.WithValue(req.Context(), ctxKey{}, "the stage's")))
		})
	}
	base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		seen, _ = req.Context().Value(ctxKey{}).(string)
		return answer(200, text("ok")).RoundTrip(req)
	})
	resp, err := middleware.Chain(base, watching(&rec, 1, 0), deriving, watching(&rec, 2, 0)).RoundTrip(request(t.Context(), t))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "the stage's", seen)
	require.Same(t, rec.once(t, 1).Exchange, rec.once(t, 2).Exchange)
}

func TestErrStaysWhatItWas(t *testing.T) {
	t.Run("after a limit that is lifted when it has passed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ex, _, end := joined(t.Context(), t)
			defer end()
			ex.Limit(time.Now().Add(time.Second), errLimit)
			require.NoError(t, ex.Err())
			time.Sleep(time.Second)
			require.Equal(t, context.DeadlineExceeded, ex.Err())
			ex.Limit(time.Time{}, errLimit)
			require.Equal(t, context.DeadlineExceeded, ex.Err())
			require.Equal(t, errLimit, ex.Cause())
			<-ex.Done()
		})
	})
	t.Run("after a cancel that nobody listened for", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ex, req, end := joined(ctx, t)
		defer end()
		child, _ := ex.Child(req)
		require.NoError(t, child.Err())
		cancel()
		require.Equal(t, context.Canceled, child.Err())
		require.Equal(t, context.Canceled, ex.Err())
		<-child.Done()
	})
	t.Run("after the end of a call that a limit had ended", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			ex, _, end := joined(ctx, t)
			ex.Limit(time.Now().Add(time.Second), errLimit)
			<-ex.Done()
			cancel()
			end()
			require.Equal(t, context.DeadlineExceeded, ex.Err())
		})
	})
}

func TestTheCausesOfTheCallerReachWhatIsDerived(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	ex, _, end := joined(ctx, t)
	defer end()
	derived, stop := context.WithCancel(ex)
	defer stop()
	cancel(errBroken)
	<-derived.Done()
	require.Equal(t, errBroken, context.Cause(derived))
	require.Equal(t, errBroken, context.Cause(ex))
	require.Equal(t, context.Canceled, derived.Err())
}

func TestAfterFunc(t *testing.T) {
	t.Run("runs once, when the context ends", func(t *testing.T) {
		ex, _, end := joined(t.Context(), t)
		var ran atomic.Int32
		stop := ex.AfterFunc(func() { ran.Add(1) })
		require.Zero(t, ran.Load())
		end()
		end()
		require.EqualValues(t, 1, ran.Load())
		require.False(t, stop(), "too late")
	})
	t.Run("is not run after stop", func(t *testing.T) {
		ex, _, end := joined(t.Context(), t)
		stop := ex.AfterFunc(func() { t.Error("ran") })
		require.True(t, stop())
		require.False(t, stop(), "only the first stop stops it")
		end()
	})
	t.Run("after the end runs at once, in a goroutine of its own", func(t *testing.T) {
		ex, _, end := joined(t.Context(), t)
		end()
		ran := make(chan struct{})
		stop := ex.AfterFunc(func() { close(ran) })
		<-ran
		require.False(t, stop())
	})
	t.Run("can ask the exchange from within", func(t *testing.T) {
		ex, _, end := joined(t.Context(), t)
		var err error
		ex.AfterFunc(func() {
			err = ex.Err()
			ex.Deadline()
			ex.Limit(time.Now(), errLimit)
		})
		end()
		require.Equal(t, context.Canceled, err)
	})
	t.Run("a place that is used again keeps the second stop of the first away", func(t *testing.T) {
		ex, _, end := joined(t.Context(), t)
		var ran atomic.Int32
		first := ex.AfterFunc(func() { t.Error("was stopped") })
		require.True(t, first())
		ex.AfterFunc(func() { ran.Add(1) })
		require.False(t, first())
		end()
		require.EqualValues(t, 1, ran.Load())
	})
	t.Run("many, some of them stopped", func(t *testing.T) {
		ex, _, end := joined(t.Context(), t)
		var ran [100]atomic.Int32
		var stops []func() bool
		register := func(i int) { stops = append(stops, ex.AfterFunc(func() { ran[i].Add(1) })) }
		for i := range 50 {
			register(i)
		}
		for i := 0; i < 50; i += 2 {
			require.True(t, stops[i]())
		}
		for i := 50; i < 100; i++ {
			register(i)
		}
		end()
		for i := range ran {
			stopped := i < 50 && i%2 == 0
			require.Equal(t, !stopped, ran[i].Load() == 1, i)
		}
	})
}

// context.WithTimeout stops its AfterFunc twice: when it has expired, and in the deferred cancel.
func TestADerivedTimeoutDoesNotUnhookItsSuccessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex, _, end := joined(t.Context(), t)
		expired, cancel := context.WithTimeout(ex, time.Second)
		<-expired.Done()
		synctest.Wait()
		successor, stop := context.WithCancel(ex)
		defer stop()
		cancel()
		end()
		<-successor.Done()
		require.Equal(t, context.Canceled, successor.Err())
	})
}

func TestDerivingAContextStartsNoGoroutine(t *testing.T) {
	caller, cancelCaller := context.WithCancel(t.Context())
	defer cancelCaller()
	ex, req, end := joined(caller, t)
	child, _ := ex.Child(req)
	before := runtime.NumGoroutine()
	var derived []context.Context
	for range 50 {
		for _, parent := range []context.Context{ex, child} {
			a, cancel := context.WithCancel(parent)
			defer cancel()
			b, cancel := context.WithTimeout(parent, time.Hour)
			defer cancel()
			derived = append(derived, a, b)
		}
	}
	require.Len(t, derived, 200)
	require.Less(t, runtime.NumGoroutine(), before+100, "other tests' goroutines come and go")
	end()
	for _, ctx := range derived {
		<-ctx.Done()
		require.Equal(t, context.Canceled, ctx.Err())
	}
}

// hookCounting is a caller's context that never ends and counts who waits for that.
type hookCounting struct {
	context.Context
	hooked, unhooked atomic.Int32
}

func (*hookCounting) Done() <-chan struct{} { return never }

var never = make(chan struct{})

func (c *hookCounting) AfterFunc(func()) func() bool {
	c.hooked.Add(1)
	return func() bool {
		c.unhooked.Add(1)
		return true
	}
}

func TestTheCallersContextIsLetGo(t *testing.T) {
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			ctx := &hookCounting{Context: context.Background()}
			var rec recorder
			rt := shape.build(stub, watching(&rec, 1, time.Hour), watching(&rec, 2, time.Hour))
			resp, err := rt.RoundTrip(request(ctx, t))
			require.NoError(t, err)
			require.EqualValues(t, 1, ctx.hooked.Load(), "one watch for all of a call")
			require.Zero(t, ctx.unhooked.Load())
			require.NoError(t, resp.Body.Close())
			require.EqualValues(t, 1, ctx.unhooked.Load())
		})
	}
	t.Run("a call that registers nothing, above an attempt whose body is wrapped", func(t *testing.T) {
		ctx := &hookCounting{Context: context.Background()}
		var rec recorder
		resp, err := middleware.Chain(stub, wrappingBody, oneAttempt, watching(&rec, 1, 0)).RoundTrip(request(ctx, t))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.EqualValues(t, 1, ctx.hooked.Load())
		require.EqualValues(t, 1, ctx.unhooked.Load())
	})
	t.Run("who asks after the end does not hook it again", func(t *testing.T) {
		ctx := &hookCounting{Context: context.Background()}
		ex, _, end := joined(ctx, t)
		end()
		<-ex.Done()
		ran := make(chan struct{})
		ex.AfterFunc(func() { close(ran) })
		<-ran
		require.Zero(t, ctx.hooked.Load())
	})
	t.Run("a call whose base asks for nothing does not hook it", func(t *testing.T) {
		ctx := &hookCounting{Context: context.Background()}
		var rec recorder
		base := middleware.RoundTripperFunc(func(*http.Request) (*http.Response, error) { return nil, errBroken })
		_, err := middleware.Chain(base, watching(&rec, 1, time.Hour)).RoundTrip(request(ctx, t))
		require.ErrorIs(t, err, errBroken)
		require.Zero(t, ctx.hooked.Load())
		rec.once(t, 1)
	})
}
