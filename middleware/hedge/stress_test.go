package hedge_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/hedge"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

// 64 callers, with copies, failures, refusals and cancels at random: everybody
// gets an answer to his own question, everything is closed and nothing is left.
// For a second; for 30 with HEADGATE_SOAK=1.
func TestManyCallersWhoCancelAtRandom(t *testing.T) {
	last := time.Second
	if os.Getenv("HEADGATE_SOAK") == "1" {
		last = 30 * time.Second
	}
	var opened, closed atomic.Int64
	base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		time.Sleep(time.Duration(rand.IntN(400)) * time.Microsecond)
		switch n := rand.IntN(20); {
		case req.Context().Err() != nil && n < 15:
			return nil, req.Context().Err()
		case n == 0:
			return nil, errBroken
		case n == 1:
			return nil, errFull
		case n == 2:
			return hangs(req)
		}
		opened.Add(1)
		return &http.Response{
			StatusCode: []int{200, 200, 200, 500, 404}[rand.IntN(5)], Header: http.Header{}, Request: req,
			Body: &body{Reader: strings.NewReader(req.Header.Get("X-Caller")), req: req, closed: &closed},
		}, nil
	})
	stage := newStage(t, config(func(c *hedge.Config) {
		c.Delay, c.MaxHedges, c.BudgetFloor, c.MaxInFlight = 200*time.Microsecond, 2, 1<<30, 64
	}))
	rt := middleware.Chain(base, middlewaretest.Attempting, stage.Wrap)
	until := time.Now().Add(last)
	var answers atomic.Int64
	var callers sync.WaitGroup
	for caller := range 64 {
		callers.Go(func() {
			me := strconv.Itoa(caller)
			for time.Now().Before(until) {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rand.IntN(2000))*time.Microsecond)
				req := request(ctx, t)
				req.Header.Set("X-Caller", me)
				resp, err := rt.RoundTrip(req)
				if err == nil {
					got, err := io.ReadAll(resp.Body)
					if err == nil && string(got) != me {
						t.Errorf("caller %s got the answer %q", me, got)
					}
					_ = resp.Body.Close()
					answers.Add(1)
				} else if resp != nil || !errors.Is(err, errBroken) && !errors.Is(err, errFull) && ctx.Err() == nil {
					t.Errorf("response %v with the error %v", resp, err)
				}
				req.Header.Set("X-Caller", "somebody else") // it is the caller's again
				cancel()
			}
		})
	}
	callers.Wait()
	require.NoError(t, stage.Stop(t.Context()))
	require.Zero(t, stage.Stats().InFlight)
	require.Equal(t, opened.Load(), closed.Load(), "every body is closed")
	s := stats(stage)
	require.Equal(t, s.Sent, s.Won+s.Lost)
	require.Positive(t, s.Won)
	require.Positive(t, answers.Load())
}
