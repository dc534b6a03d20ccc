package tiered_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/cachestore/disk"
	"github.com/headgate-go/headgate/cachestore/memory"
	"github.com/headgate-go/headgate/cachestore/tiered"
)

func Example() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)

	open := func() *tiered.Store {
		onDisk := disk.DefaultConfig()
		onDisk.Folder = folder
		below, err := disk.New(onDisk)
		if err != nil {
			panic(err)
		}
		above, err := memory.New(memory.DefaultConfig())
		if err != nil {
			panic(err)
		}
		cfg := tiered.DefaultConfig()
		cfg.Tiers = []string{"memory", "disk"}
		s, err := tiered.New(cfg, map[string]store.StoreInterface{"memory": above, "disk": below})
		if err != nil {
			panic(err)
		}
		return s
	}

	s := open()
	fmt.Println(s.Set(ctx, "greeting", "hello", store.WithExpiration(time.Hour)))
	s = open() // the program starts again: memory is empty
	for range 2 {
		value, err := s.Get(ctx, "greeting")
		fmt.Printf("%s %v\n", value, err)
	}
	for _, tier := range s.Stats().Tiers {
		fmt.Println(tier.Name, tier.Hits)
	}
	// Output:
	// <nil>
	// hello <nil>
	// hello <nil>
	// memory 1
	// disk 1
}
