package loadtest_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/middlewaretest/loadtest"
)

// Half as much again as the upstream can serve, for a fifth of a second.
func Example() {
	cfg := middlewaretest.Busy()
	up, err := middlewaretest.Start(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer up.Close()
	client := up.Client()
	ask := func(ctx context.Context, _ *loadtest.Call) loadtest.Answer {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, up.URL, nil)
		if err != nil {
			return loadtest.Failed
		}
		resp, err := client.Do(req)
		if err != nil {
			return loadtest.Failed
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return loadtest.Failed
		}
		return loadtest.Fresh
	}
	load := loadtest.Load{Rates: []int{600}, Step: 200 * time.Millisecond, Deadline: time.Second}
	calls := load.Offer(context.Background(), ask, func(float64) {})
	r := load.Summarize("plain", calls, loadtest.Upstream{Requests: up.Stats().Requests, Slots: cfg.Capacity, Service: cfg.ServiceTime})
	fmt.Println(r.Calls, "calls;", "a perfect queue answers", r.Ceiling)
	// Output: 121 calls; a perfect queue answers 121
}
