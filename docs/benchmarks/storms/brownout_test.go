package storms_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/report"
	"github.com/headgate-go/headgate/docs/benchmarks/storms"
)

// One answer in ten is twenty times slower.
func TestBrownOut(t *testing.T) {
	t.Parallel()
	table := &report.Table{Head: []string{"client", "p50", "p90", "p95", "p99", "extra load"}}
	p95, extra := map[string]float64{}, map[string]float64{}
	for _, client := range []string{"hedge off", "hedge on", "hedge at p85"} {
		t.Run(client, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &storms.Upstream{Latency: time.Millisecond, Service: func(n int) time.Duration {
					random := rand.New(rand.NewPCG(uint64(n), 1))
					if random.Float64() < 0.1 {
						return time.Second
					}
					return 40*time.Millisecond + time.Duration(random.Int64N(int64(20*time.Millisecond)))
				}}
				rt, name := peerOrPipeline(t, client, up)
				calling := storms.NewLoad(rt, 5*time.Second)
				calling.Steady(100, 60*time.Second)
				calls := calling.Wait()
				require.Equal(t, len(calls), calls.OK())
				took := calls.Took(0.5, 0.9, 0.95, 0.99)
				p95[client], extra[client] = took[2], share(up.Stats().Requests, len(calls))-1
				table.Add(name, millis(took[0]), millis(took[1]), millis(took[2]), millis(took[3]), fmt.Sprintf("%.1f %%", 100*extra[client]))
			})
		})
	}
	show(t, "Brown-out: one answer in ten takes 1 s",
		"100 requests per second for 60 s; the others take 40 to 60 ms. Hedging is off, at its defaults (the 95th percentile, one request in ten), and at the 85th percentile with one in five.", table)
	require.LessOrEqual(t, extra["hedge on"], 0.11, "the budget holds")
	require.LessOrEqual(t, extra["hedge at p85"], 0.21, "the budget holds")
	require.Less(t, p95["hedge at p85"], p95["hedge off"]/2, "the tail is cut")
}
