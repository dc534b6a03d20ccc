package middleware_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

func TestReporter(t *testing.T) {
	var seen []middleware.Event
	observer := middleware.ObserverFunc(func(_ context.Context, e middleware.Event) { seen = append(seen, e) })

	nobody := middleware.Reporter{}
	require.False(t, nobody.Enabled())
	nobody.Report(t.Context(), middleware.Event{Kind: "lost"})

	r := middleware.Reporter{Observer: observer}.Named("gate")
	require.True(t, r.Enabled())
	require.Equal(t, "gate", r.Stage)
	require.Equal(t, "gate", r.Named("another").Stage, "a name that is there stays")
	r.Report(t.Context(), middleware.Event{Stage: "somebody else", Kind: "opened", Level: slog.LevelWarn, Err: errors.ErrUnsupported})
	require.Equal(t, []middleware.Event{{Stage: "gate", Kind: "opened", Level: slog.LevelWarn, Err: errors.ErrUnsupported}}, seen)
}
