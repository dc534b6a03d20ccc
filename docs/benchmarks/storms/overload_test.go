package storms_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/report"
	"github.com/headgate-go/headgate/docs/benchmarks/storms"
	"github.com/headgate-go/headgate/middleware/middlewaretest/loadtest"
)

// The overload experiment without the noise of a machine.
func TestOverload(t *testing.T) {
	t.Parallel()
	table := &report.Table{Head: []string{"client", "staged: answered", "of the ceiling", "upstream requests per call", "flat: answered", "of the ceiling", "upstream requests per call"}}
	for _, client := range []string{
		"plain", "go-retryablehttp",
		"failsafe-go bulkhead, told the capacity", "failsafe-go bulkhead, told the capacity and the deadline",
		"failsafe-go adaptive limiter, short queue", "failsafe-go adaptive limiter, long queue, told the deadline",
		"told", "adaptive",
	} {
		row := []string{client}
		for _, flat := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s flat=%v", client, flat), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					up := busy()
					if flat {
						up.Queue, up.Finish = 1<<30, true
					}
					defer up.Wait()
					rt, name := peerOrPipeline(t, client, up)
					calls := offer(rt, flat)
					most := ceiling(calls)
					row[0] = name
					row = append(row, percent(share(calls.OK(), len(calls))), percent(share(calls.OK(), most)), fmt.Sprintf("%.2f", share(up.Stats().Requests, len(calls))))
					if client == "told" || client == "adaptive" {
						require.Greater(t, share(calls.OK(), most), 0.95)
						require.LessOrEqual(t, share(up.Stats().Requests, len(calls)), 0.85)
					}
				})
			})
		}
		table.Add(row...)
	}
	show(t, "Overload, in virtual time",
		"The two forms of the overload experiment, on a machine that is never late. The fallback answers nothing here. \"told\" is told the capacity, \"adaptive\" nothing.", table)
}

// offer sends 100 to 1000 requests per second in ten steps, or 1000 in each.
func offer(rt http.RoundTripper, flat bool) storms.Calls {
	calling := storms.NewLoad(rt, 2*time.Second)
	for step := range 10 {
		perSecond := 100 * (step + 1)
		if flat {
			perSecond = 1000
		}
		calling.Steady(perSecond, 800*time.Millisecond)
	}
	return calling.Wait()
}

func ceiling(calls storms.Calls) int {
	arrivals := make([]time.Duration, len(calls))
	for i, c := range calls {
		arrivals[i] = c.Begin
	}
	// What goes there and back is part of what a caller waits.
	return loadtest.Ceiling(slices.Sorted(slices.Values(arrivals)), 2*time.Second-time.Millisecond, 20, 50*time.Millisecond)
}
