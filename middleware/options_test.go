package middleware_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

func exchangeWith(ctx context.Context, t testing.TB) *middleware.Exchange {
	ex, _, _ := joined(ctx, t)
	return ex
}

func TestSkip(t *testing.T) {
	for _, tt := range []struct {
		name      string
		skip      []string
		id        string
		isSkipped bool
	}{
		{name: "nothing", id: "retry"},
		{name: "a type", skip: []string{"retry"}, id: "retry", isSkipped: true},
		{name: "a type means every stage of it", skip: []string{"timeout"}, id: "timeout/attempt", isSkipped: true},
		{name: "a full id", skip: []string{"timeout/attempt"}, id: "timeout/attempt", isSkipped: true},
		{name: "a full id leaves its sisters on", skip: []string{"timeout/attempt"}, id: "timeout/total"},
		{name: "a full id leaves the bare type on", skip: []string{"timeout/attempt"}, id: "timeout"},
		{name: "another type", skip: []string{"retry"}, id: "cache"},
		{name: "the beginning of a type", skip: []string{"time"}, id: "timeout"},
		{name: "one of several", skip: []string{"cache", "retry"}, id: "retry", isSkipped: true},
		{name: "no ids at all", skip: []string{}, id: "retry"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx := t.Context()
			if tt.skip != nil {
				ctx = middleware.Skip(ctx, tt.skip...)
			}
			require.Equal(t, tt.isSkipped, exchangeWith(ctx, t).Skipped(tt.id))
		})
	}
}

func TestSkipsAddUpAndLeaveTheParentAlone(t *testing.T) {
	// Three, because a slice that has grown to three has room for a fourth.
	parent := middleware.Skip(middleware.Skip(middleware.Skip(t.Context(), "cache"), "dns_warmup"), "chaos")
	one := middleware.Skip(parent, "retry")
	other := middleware.Skip(parent, "hedge")
	skipped := func(ctx context.Context) string {
		ex := exchangeWith(ctx, t)
		return fmt.Sprint(ex.Skipped("cache"), ex.Skipped("retry"), ex.Skipped("hedge"))
	}
	require.Equal(t, "true false false", skipped(parent))
	require.Equal(t, "true true false", skipped(one))
	require.Equal(t, "true false true", skipped(other))
}

func TestOption(t *testing.T) {
	limit := middleware.NewOption[int]("limit")
	namesake := middleware.NewOption[int]("limit")
	body := middleware.NewOption[*countingBody]("body")
	of := func(ctx context.Context, o *middleware.Option[int]) string {
		return fmt.Sprint(o.Of(exchangeWith(ctx, t)))
	}
	require.Equal(t, "limit", limit.String())
	require.Equal(t, "0 false", of(t.Context(), limit), "nobody set it")

	parent := limit.With(t.Context(), 1)
	require.Equal(t, "1 true", of(parent, limit))
	require.Equal(t, "0 false", of(parent, namesake), "an option is distinct whatever its name")
	require.Equal(t, "2 true", of(limit.With(parent, 2), limit), "what was set last counts")
	require.Equal(t, "0 true", of(limit.With(parent, 0), limit), "a zero is set too")
	require.Equal(t, "1 true", of(namesake.With(parent, 3), limit))
	require.Equal(t, "1 true", of(middleware.Skip(parent, "retry"), limit), "skips and options go together")
	require.Equal(t, "1 true", of(parent, limit), "the parent's options stay as they were")

	v, ok := body.Of(exchangeWith(body.With(t.Context(), nil), t))
	require.True(t, ok)
	require.Nil(t, v)
}

func TestOptionsAreReadWhenTheCallBegins(t *testing.T) {
	limit := middleware.NewOption[int]("limit")
	ex, req, end := joined(limit.With(t.Context(), 1), t)
	defer end()
	child, _ := ex.Child(req.WithContext(limit.With(req.Context(), 2)))
	v, _ := limit.Of(child)
	require.Equal(t, 1, v)
	nested, _, endNested := joined(limit.With(context.WithoutCancel(t.Context()), 3), t)
	defer endNested()
	v, _ = limit.Of(nested)
	require.Equal(t, 3, v)
}

func TestACallWithoutOptionsPaysNothing(t *testing.T) {
	limit := middleware.NewOption[int]("limit")
	without := exchangeWith(t.Context(), t)
	with := exchangeWith(limit.With(middleware.Skip(t.Context(), "cache"), 1), t)
	for _, ex := range []*middleware.Exchange{without, with} {
		require.Zero(t, testing.AllocsPerRun(100, func() {
			ex.Skipped("timeout/attempt")
			limit.Of(ex)
		}))
	}
}
