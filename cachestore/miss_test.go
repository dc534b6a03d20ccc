package cachestore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"testing"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/cachestore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type notFound bool

func (n notFound) Error() string  { return "the server said so" }
func (n notFound) NotFound() bool { return bool(n) }

func TestIsMiss(t *testing.T) {
	_, noFile := os.Open(t.TempDir() + "/absent")
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"no error":                       {nil, false},
		"ours":                           {cachestore.ErrNotFound, true},
		"gocache's by value":             {store.NotFound{}, true},
		"gocache's by pointer":           {&store.NotFound{}, true},
		"gocache's with a cause":         {store.NotFoundWithCause(io.EOF), true},
		"gocache's wrapped by pointer":   {fmt.Errorf("get: %w", &store.NotFound{}), true},
		"gocache's wrapped by value":     {fmt.Errorf("get: %w", store.NotFound{}), true},
		"gocache's joined":               {errors.Join(io.EOF, store.NotFound{}), true},
		"go-redis":                       {errors.New("redis: nil"), true},
		"go-redis wrapped":               {fmt.Errorf("get: %w", errors.New("redis: nil")), true},
		"go-redis joined":                {errors.Join(io.EOF, errors.New("redis: nil")), true},
		"rueidis":                        {errors.New("redis nil message"), true},
		"gomemcache":                     {errors.New("memcache: cache miss"), true},
		"bigcache and freecache":         {errors.New("Entry not found"), true},
		"nats":                           {errors.New("nats: key not found"), true},
		"a file":                         {noFile, true},
		"a wrapped file":                 {fmt.Errorf("read: %w", fs.ErrNotExist), true},
		"a method that says so":          {notFound(true), true},
		"a method that says no":          {notFound(false), false},
		"a host that is not found":       {errors.New("lookup redis.internal: host not found"), false},
		"a bucket that is not found":     {errors.New("bucket not found"), false},
		"the connection":                 {io.ErrUnexpectedEOF, false},
		"the context":                    {context.Canceled, false},
		"joined without a miss among it": {errors.Join(io.EOF, context.Canceled), false},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, cachestore.IsMiss(test.err)) })
	}
}

type stringer struct{}

func (stringer) String() string { return "by String" }

type generator struct{ stringer }

func (generator) GetCacheKey() string { return "by GetCacheKey" }

func TestKey(t *testing.T) {
	for want, key := range map[string]any{
		"text": "text", "\x00\xff": []byte("\x00\xff"), "by String": stringer{}, "by GetCacheKey": generator{},
	} {
		got, err := cachestore.Key(key)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for want, key := range map[string]any{"<nil>": nil, "int": 1, "struct { Password string }": struct{ Password string }{"hunter2"}} {
		_, err := cachestore.Key(key)
		require.ErrorIs(t, err, cachestore.ErrKeyType)
		var typed *cachestore.KeyTypeError
		require.ErrorAs(t, err, &typed)
		require.Equal(t, want, typed.Type)
		require.NotContains(t, err.Error(), "hunter2")
	}
}
