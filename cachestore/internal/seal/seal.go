// Package seal makes what the stores of bytes keep: a value in an envelope, with its end and its tags.
package seal

import (
	"time"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/internal/taglist"
)

// Seal gives the entry of body under key, and its encoding. Of the options it heeds the expiration,
// zero for no end, and the tags. An encoding of more than limit bytes is a *cachestore.TooLargeError.
func Seal(key string, body []byte, opts *store.Options, limit int64) (cachestore.Entry, []byte, error) {
	now := time.Now()
	e := cachestore.Entry{Key: key, Stored: now, Meta: taglist.Encode(opts.Tags), Body: body}
	if opts.Expiration > 0 {
		e.Expires = now.Add(opts.Expiration)
	}
	data, err := cachestore.Encode(e)
	if err != nil {
		return cachestore.Entry{}, nil, err
	}
	if size := int64(len(data)); size > limit {
		return cachestore.Entry{}, nil, &cachestore.TooLargeError{What: "entry", Size: size, Limit: limit}
	}
	return e, data, nil
}
