package storms_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/report"
	"github.com/headgate-go/headgate/docs/benchmarks/storms"
)

// quota answers 429 with Retry-After to all beyond limit in each second.
type quota struct {
	mu     sync.Mutex
	limit  int
	second time.Time
	used   int
	over   int
}

func (q *quota) answer(int) (*http.Response, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if now.Sub(q.second) >= time.Second {
		q.second, q.used = now.Truncate(time.Second), 0
	}
	if q.used++; q.used <= q.limit {
		return nil, nil
	}
	q.over++
	return storms.Response(http.StatusTooManyRequests, "Retry-After", "1"), nil
}

// 1,600 callers at once on an upstream that allows 300 a second and says so.
func TestPushbackStorm(t *testing.T) {
	t.Parallel()
	const callers, allowed = 1600, 300
	table := &report.Table{Head: []string{"client", "answered", "gave up", "429s", "upstream requests per call", "all done after"}}
	for _, client := range []string{"go-retryablehttp", "failsafe-go retry", "patient"} {
		t.Run(client, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := &quota{limit: allowed, second: time.Now()}
				up := &storms.Upstream{Latency: time.Millisecond, Service: storms.Always(20 * time.Millisecond), Answer: q.answer}
				rt, name := peerOrPipeline(t, client, up)
				calling := storms.NewLoad(rt, 5*time.Minute)
				for range callers {
					calling.Go()
				}
				calls := calling.Wait()
				var last time.Duration
				for _, c := range calls {
					last = max(last, c.End)
				}
				stats := up.Stats()
				table.Add(name, fmt.Sprint(calls.OK()), fmt.Sprint(callers-calls.OK()), fmt.Sprint(q.over),
					fmt.Sprintf("%.2f", share(stats.Requests, callers)), fmt.Sprintf("%.1f s", last.Seconds()))
				if client == "patient" {
					require.Equal(t, callers, calls.OK(), "nobody gives up")
				}
			})
		})
	}
	show(t, "429 with Retry-After, 1,600 callers at once",
		"The upstream allows 300 requests in each second and answers 429 with Retry-After: 1 beyond. 5.3 s is the least that 1,600 can take.", table)
}
