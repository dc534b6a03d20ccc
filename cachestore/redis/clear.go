package redis

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// Clear removes all keys of the prefix, those of other processes too, and no others. It walks all keys of the server.
func (s *Store) Clear(ctx context.Context) error {
	if err := s.eachServer(ctx, s.clear); err != nil {
		return fail("clear", err)
	}
	return nil
}

// eachServer calls do with every server that has keys.
func (s *Store) eachServer(ctx context.Context, do func(context.Context, redis.Cmdable) error) error {
	each := func(ctx context.Context, c *redis.Client) error { return do(ctx, c) }
	switch c := s.client.(type) {
	case *redis.ClusterClient:
		return c.ForEachMaster(ctx, each)
	case *redis.Ring:
		return c.ForEachShard(ctx, each)
	}
	return do(ctx, s.client)
}

func (s *Store) clear(ctx context.Context, server redis.Cmdable) error {
	for cursor := uint64(0); ; {
		var err error
		if cursor, err = s.clearSome(ctx, server, cursor); err != nil || cursor == 0 {
			return err
		}
	}
}

func (s *Store) clearSome(ctx context.Context, server redis.Cmdable, cursor uint64) (next uint64, err error) {
	ctx, done, err := s.begin(ctx)
	defer done()
	if err != nil {
		return 0, err
	}
	names, next, err := server.Scan(ctx, cursor, s.cfg.Prefix+"*", batch).Result() // a prefix holds no pattern
	if err != nil || len(names) == 0 {
		return next, err
	}
	// One by one, in one round trip: a cluster refuses a command whose keys are in several slots.
	_, err = server.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, name := range names {
			p.Unlink(ctx, name)
		}
		return nil
	})
	return next, err
}
