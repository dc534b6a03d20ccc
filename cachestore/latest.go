package cachestore

import "context"

type latest struct{}

// Latest has a store of several tiers read from the one that processes share, and
// not from one in which a value may be older than what another process has written
// since. Where that tier cannot tell, the others are read. Every other store reads as always.
func Latest(ctx context.Context) context.Context {
	return context.WithValue(ctx, latest{}, true)
}

// WantsLatest tells whether ctx comes from [Latest].
func WantsLatest(ctx context.Context) bool { return ctx.Value(latest{}) != nil }
