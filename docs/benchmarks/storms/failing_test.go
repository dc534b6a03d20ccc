package storms_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/report"
	"github.com/headgate-go/headgate/docs/benchmarks/storms"
)

// Everything fails: how much more does the upstream get than there are calls?
func TestRetryStorm(t *testing.T) {
	t.Parallel()
	table := &report.Table{Head: []string{"client", "500", "503", "429 without a hint"}}
	statuses := []int{http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusTooManyRequests}
	for _, client := range []string{"go-retryablehttp", "failsafe-go retry", "no budget", "budget", "standard"} {
		row := []string{client}
		for _, status := range statuses {
			t.Run(fmt.Sprintf("%s %d", client, status), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					up := &storms.Upstream{Latency: 5 * time.Millisecond, Answer: func(int) (*http.Response, error) {
						return storms.Response(status), nil
					}}
					rt, name := peerOrPipeline(t, client, up)
					calling := storms.NewLoad(rt, time.Minute)
					calling.Steady(200, 30*time.Second)
					calls := calling.Wait()
					perCall := share(up.Stats().Requests, len(calls))
					row[0] = name
					row = append(row, fmt.Sprintf("%.2f", perCall))
					if client == "budget" || client == "standard" {
						require.LessOrEqual(t, perCall, 1.25)
					}
				})
			})
		}
		table.Add(row...)
	}
	show(t, "Retry storm: every request fails",
		"200 calls per second for 30 s; upstream requests per call, by what the upstream answers. \"budget\" is the standard preset without its circuit breaker, \"no budget\" has no retry budget either.", table)
}
