package memory_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/cachestore/memory"
)

func Example() {
	ctx := context.Background()
	cfg := memory.DefaultConfig()
	cfg.MaxBytes = 16 << 20
	s, err := memory.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}

	err = s.Set(ctx, "greeting", []byte("hello"), // not to be changed from here on
		store.WithExpiration(time.Hour), store.WithTags([]string{"texts"}))
	if err != nil {
		fmt.Println(err)
		return
	}
	value, err := s.Get(ctx, "greeting")
	fmt.Printf("%s %v\n", value, err)

	if err := s.Invalidate(ctx, store.WithInvalidateTags([]string{"texts"})); err != nil {
		fmt.Println(err)
		return
	}
	_, err = s.Get(ctx, "greeting")
	fmt.Println(errors.Is(err, store.NotFound{}))
	fmt.Printf("%d hit, %d miss\n", s.Stats().Hits, s.Stats().Misses)
	// Output:
	// hello <nil>
	// true
	// 1 hit, 1 miss
}
