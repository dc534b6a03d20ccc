package redis_test

import (
	"context"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/eko/gocache/lib/v4/store"
	goredis "github.com/redis/go-redis/v9"

	"github.com/headgate-go/headgate/cachestore/redis"
)

func Example() {
	ctx := context.Background()
	server, err := miniredis.Run() // in place of a real one
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()

	client := goredis.NewClient(&goredis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true})
	defer client.Close()
	cfg := redis.DefaultConfig()
	cfg.Prefix, cfg.Timeout = "myapp:", time.Second
	s, err := redis.New(client, cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Set(ctx, "greeting", "hello", store.WithExpiration(time.Hour), store.WithTags([]string{"texts"})))
	value, err := s.Get(ctx, "greeting")
	fmt.Printf("%s %v\n", value, err)
	fmt.Println(s.Invalidate(ctx, store.WithInvalidateTags([]string{"texts"})))
	_, err = s.Get(ctx, "greeting")
	fmt.Println(err)
	// Output:
	// <nil>
	// hello <nil>
	// <nil>
	// value not found in store
}
