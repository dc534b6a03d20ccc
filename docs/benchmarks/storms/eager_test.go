package storms_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/report"
	"github.com/headgate-go/headgate/docs/benchmarks/storms"
)

// A fast 503 must not look like a fast upstream.
func TestEagerWorkers(t *testing.T) {
	t.Parallel()
	const workers, capacity, seconds = 100, 10, 10
	table := &report.Table{Head: []string{"client", "goodput", "of the capacity", "refused by the upstream"}}
	for _, client := range []string{"plain", "failsafe-go adaptive limiter", "limit"} {
		t.Run(client, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &storms.Upstream{Slots: capacity, Latency: time.Millisecond, Service: storms.Always(50 * time.Millisecond)}
				rt, name := peerOrPipeline(t, client, up)
				calling := storms.NewLoad(rt, 10*time.Second)
				end := time.Now().Add(seconds * time.Second)
				var pending sync.WaitGroup
				for range workers {
					pending.Go(func() {
						for time.Now().Before(end) {
							if c := calling.Do(); !c.OK {
								time.Sleep(10 * time.Millisecond)
							}
						}
					})
				}
				pending.Wait()
				goodput := calling.Wait().Goodput(0, seconds*time.Second)
				refused := float64(up.Stats().Refused) / seconds
				const most = capacity * 20
				table.Add(name, rate(goodput), percent(goodput/most), rate(refused))
				if client == "limit" {
					require.Less(t, refused, 50.0)
					require.Greater(t, goodput, 0.7*most)
				}
			})
		})
	}
	show(t, fmt.Sprintf("%d eager workers on a capacity of %d", workers, capacity),
		"The upstream serves ten at a time, 50 ms each, and answers 503 at once beyond. A worker that is refused comes again after 10 ms; nobody queues. Ten seconds.", table)
}
