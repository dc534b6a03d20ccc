package storms_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/report"
	"github.com/headgate-go/headgate/docs/benchmarks/storms"
)

// Half of the capacity goes away for ten seconds and comes back.
func TestCapacityHalves(t *testing.T) {
	t.Parallel()
	const offered = 360
	table := &report.Table{Head: []string{"client", "goodput before", "halved", "after", "failed while halved", "full again after", "refused by the upstream"}}
	for _, client := range []string{"plain", "told", "adaptive"} {
		t.Run(client, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := busy()
				var rt http.RoundTripper = up
				if client != "plain" {
					p := headgate(t, client, up)
					defer stop(t, p)
					rt = p
				}
				calling := storms.NewLoad(rt, 2*time.Second)
				calling.Steady(offered, 10*time.Second)
				up.SetSlots(10)
				calling.Steady(offered, 10*time.Second)
				up.SetSlots(20)
				calling.Steady(offered, 20*time.Second)
				calls := calling.Wait()

				const s = time.Second
				halved := calls.Begun(10*s, 20*s)
				took, ok := calls.Recovered(20*s, 0.97)
				table.Add(client, rate(calls.Goodput(2*s, 10*s)), rate(calls.Goodput(10*s, 20*s)), rate(calls.Goodput(22*s, 40*s)),
					percent(1-share(halved.OK(), len(halved))), recovery(took, ok), rate(float64(up.Stats().Refused)/40))
				if client == "adaptive" {
					require.True(t, ok)
					require.LessOrEqual(t, took, 2*s)
					require.Greater(t, calls.Goodput(10*s, 20*s), 0.95*200, "what is left of the capacity is used")
				}
			})
		})
	}
	show(t, "Capacity halves for 10 s",
		"360 requests per second, deadline 2 s; the upstream serves 400 per second, 200 from 10 s to 20 s, and lets 40 wait. While it is halved it can answer 56 % of the calls; a client that queues has some of the others answered when it is back.", table)
}
