package disk_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/cachestore/disk"
)

func Example() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)

	cfg := disk.DefaultConfig()
	cfg.Folder = folder
	before, err := disk.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(before.Set(ctx, "greeting", "hello", store.WithExpiration(time.Hour)))
	fmt.Println(before.Stop(ctx))

	after, err := disk.New(cfg) // the program starts again
	if err != nil {
		fmt.Println(err)
		return
	}
	value, err := after.Get(ctx, "greeting")
	fmt.Printf("%s %v\n", value, err)
	// Output:
	// <nil>
	// <nil>
	// hello <nil>
}
