package storms_test

import (
	"fmt"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/report"
	"github.com/headgate-go/headgate/docs/benchmarks/storms"
)

// The upstream is away for ten seconds.
func TestOutage(t *testing.T) {
	t.Parallel()
	table := &report.Table{Head: []string{"client", "the outage", "goodput before", "full again after", "upstream requests per second while it lasts"}}
	outages := []struct {
		name   string
		answer func(int) (*http.Response, error)
	}{
		{"connection refused", func(int) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
		}},
		{"503", func(int) (*http.Response, error) { return storms.Response(http.StatusServiceUnavailable), nil }},
	}
	for _, client := range []string{"plain", "go-retryablehttp", "failsafe-go retry", "standard"} {
		for _, outage := range outages {
			t.Run(client+" "+outage.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					up := busy()
					rt, name := peerOrPipeline(t, client, up)
					const s = time.Second
					calling := storms.NewLoad(rt, 2*s)
					calling.Steady(300, 10*s)
					up.SetAnswer(outage.answer)
					before := up.Stats().Requests
					calling.Steady(300, 10*s)
					during := up.Stats().Requests - before
					up.SetAnswer(nil)
					calling.Steady(300, 20*s)
					calls := calling.Wait()
					took, ok := calls.Recovered(20*s, 0.99)
					table.Add(name, outage.name, rate(calls.Goodput(2*s, 10*s)), recovery(took, ok), fmt.Sprintf("%.0f", float64(during)/10))
					if client == "standard" {
						require.True(t, ok)
						require.LessOrEqual(t, took, 2*s)
					}
				})
			})
		}
	}
	show(t, "Outage of 10 s", "300 requests per second, deadline 2 s, on an upstream that serves 400; nothing is answered from 10 s to 20 s.", table)
}
