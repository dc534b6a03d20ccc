package storms_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/figures"
	"github.com/headgate-go/headgate/docs/benchmarks/internal/report"
	"github.com/headgate-go/headgate/docs/benchmarks/storms"
)

// Clients that know nothing of each other share an upstream.
func TestFleet(t *testing.T) {
	t.Parallel()
	const demand, lasts = 800.0, 15 * time.Second
	table := &report.Table{Head: []string{"clients", "each of them", "goodput", "answered", "fairness", "refused by the upstream", "upstream requests per call"}}
	fairness := map[string]float64{}
	for _, size := range []int{10, 100, 1000} {
		for _, client := range []string{"plain", "go-retryablehttp", "loose", "adaptive", "adaptive, busy is no failure"} {
			t.Run(fmt.Sprintf("%d %s", size, client), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					up := busy()
					up.Refusal = time.Millisecond
					var name string
					loads := make([]*storms.Load, size)
					var pending sync.WaitGroup
					for i := range loads {
						rt, called := peerOrPipeline(t, client, up)
						name, loads[i] = called, storms.NewLoad(rt, 2*time.Second)
						random := rand.New(rand.NewPCG(uint64(i), 1))
						pending.Go(func() { loads[i].Poisson(random, demand/float64(size), lasts) })
					}
					pending.Wait()
					all, good := 0, 0
					var goodput float64
					var shares []float64
					for _, l := range loads {
						calls := l.Wait()
						all, good = all+len(calls), good+calls.OK()
						goodput += calls.Goodput(0, lasts)
						if len(calls) > 0 {
							shares = append(shares, share(calls.OK(), len(calls)))
						}
					}
					stats := up.Stats()
					jain := figures.Jain(shares)
					fairness[fmt.Sprint(size, client)] = jain
					table.Add(fmt.Sprint(size), name, rate(goodput), percent(share(good, all)), fmt.Sprintf("%.3f", jain),
						rate(float64(stats.Refused)/lasts.Seconds()), fmt.Sprintf("%.2f", share(stats.Requests, all)))
				})
			})
		}
	}
	show(t, "A fleet on one upstream",
		"800 requests per second in all, at random times, for 15 s, deadline 2 s, from clients that know nothing of each other; the upstream serves 400 per second, lets 40 wait, and loses 1 ms of a slot to each 503. Fairness is Jain's index over the share of its calls that each client had answered. \"loose\" is the standard preset with a limit that hardly ever counts, \"adaptive\" finds its limit; with \"busy is no failure\" its circuit breaker does not count 503 either. With 1,000 clients each has less than one request under way, and no limit of its own can help.", table)
	for _, size := range []int{10, 100, 1000} {
		require.Greater(t, fairness[fmt.Sprint(size, "adaptive, busy is no failure")], 0.8, "%d clients", size)
	}
}
