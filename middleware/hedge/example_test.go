package hedge_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/headgate-go/headgate/middleware/hedge"
)

func Example() {
	cfg := hedge.DefaultConfig()
	cfg.Delay = 20 * time.Millisecond
	stage, err := hedge.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	var requests atomic.Int64
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			<-r.Context().Done() // the slow one
			return
		}
		_, _ = io.WriteString(w, "hello")
	}))
	defer upstream.Close()
	client := &http.Client{Transport: stage.Wrap(http.DefaultTransport)}
	defer client.CloseIdleConnections()

	resp, err := client.Get(upstream.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	s := stage.Stats().Keys[0]
	fmt.Println(string(answer), "after", requests.Load(), "requests,", s.Sent, "of them a copy")
	_ = stage.Stop(context.Background())
	// Output: hello after 2 requests, 1 of them a copy
}

// A request that is not safe gets a copy only if its caller says that the
// upstream may process it twice: a completion of an LLM, for example.
func ExampleAllow() {
	ctx := hedge.Allow(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://api.example.com/v1/chat/completions", nil)
	fmt.Println(req.Method, err)
	// Output: POST <nil>
}
