package redis

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/redis/go-redis/v9"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/internal/taglist"
)

const (
	batch = 500
	// headBytes is read of an entry to learn its tags: enough but for very long keys.
	headBytes = 4 << 10
)

// addTag puts an entry into a tag's set: KEYS[1] the set; ARGV the entry, when it expires, and now, in milliseconds. The
// set expires with the last of its entries.
var addTag = redis.NewScript(`
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
if last == 'inf' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', tonumber(last) - tonumber(ARGV[3])))
end
return 1`)

func (s *Store) addTags(ctx context.Context, key string, tags []string, expires time.Time) error {
	end := "+inf"
	if !expires.IsZero() {
		end = strconv.FormatInt(expires.UnixMilli()+1, 10)
	}
	now := strconv.FormatInt(time.Now().UnixMilli(), 10)
	for _, tag := range tags {
		if err := addTag.Run(ctx, s.client, []string{s.tagName(tag)}, s.entryName(key), end, now).Err(); err != nil {
			return err
		}
	}
	return nil
}

// Invalidate removes the entries that were stored with at least one of the tags of store.WithInvalidateTags. One that
// is being stored at the same time may stay.
func (s *Store) Invalidate(ctx context.Context, options ...store.InvalidateOption) error {
	for _, tag := range store.ApplyInvalidateOptions(options...).Tags {
		if err := s.invalidate(ctx, tag); err != nil {
			return fail("invalidate", err)
		}
	}
	return nil
}

// invalidate takes the entries of a tag in batches: what has been dealt with leaves the set, so that one that fails
// can be repeated. What is stored meanwhile is not waited for.
func (s *Store) invalidate(ctx context.Context, tag string) error {
	left, err := s.countOf(ctx, tag)
	for err == nil && left > 0 {
		var names []string
		if names, err = s.someOf(ctx, tag); err != nil || len(names) == 0 {
			break
		}
		err = s.unlinkTagged(ctx, tag, names)
		left -= len(names)
	}
	return err
}

func (s *Store) someOf(ctx context.Context, tag string) ([]string, error) {
	ctx, done, err := s.begin(ctx)
	defer done()
	if err != nil {
		return nil, err
	}
	return s.client.ZRange(ctx, s.tagName(tag), 0, batch-1).Result()
}

func (s *Store) countOf(ctx context.Context, tag string) (int, error) {
	ctx, done, err := s.begin(ctx)
	defer done()
	if err != nil {
		return 0, err
	}
	n, err := s.client.ZCard(ctx, s.tagName(tag)).Result()
	return int(n), err
}

// unlinkTagged deletes those entries that have the tag now, and takes all of them from its set.
func (s *Store) unlinkTagged(ctx context.Context, tag string, names []string) error {
	ctx, done, err := s.begin(ctx)
	defer done()
	if err != nil {
		return err
	}
	heads := make([]*redis.StringCmd, len(names))
	_, err = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, name := range names {
			heads[i] = p.GetRange(ctx, name, 0, headBytes-1)
		}
		return nil
	})
	if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return err
	}
	_, err = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		members := make([]any, len(names))
		for i, name := range names {
			members[i] = name
			if head, err := heads[i].Bytes(); err == nil && mayHave(head, tag) {
				p.Unlink(ctx, name)
			}
		}
		p.ZRem(ctx, s.tagName(tag), members...)
		return nil
	})
	return err
}

// mayHave tells whether an entry that begins with head has the tag. It may if its tags end outside of it: to delete an
// entry too many costs a miss.
func mayHave(head []byte, tag string) bool {
	meta, err := cachestore.ReadMeta(bytes.NewReader(head))
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return len(head) == headBytes
	}
	return err == nil && taglist.HasAny(meta, []string{tag})
}
