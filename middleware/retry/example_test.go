package retry_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/headgate-go/headgate/middleware/retry"
)

func Example() {
	cfg := retry.DefaultConfig()
	cfg.BaseDelay = time.Millisecond
	stage, err := retry.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	attempts := 0
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if attempts++; attempts < 3 {
			http.Error(w, "server busy", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.Copy(w, r.Body)
	}))
	defer upstream.Close()
	client := &http.Client{Transport: stage.Wrap(http.DefaultTransport)}
	defer client.CloseIdleConnections()

	// A busy 503 was not processed: even a POST can be sent again.
	resp, err := client.Post(upstream.URL, "text/plain", strings.NewReader("hello"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.StatusCode, string(answer), attempts)
	// Output: 200 hello 3
}

// While everything fails, the budget lets one retry pass for five calls.
func ExampleBudgetConfig() {
	cfg := retry.DefaultConfig()
	cfg.BaseDelay = time.Millisecond
	cfg.Budget.Share, cfg.Budget.MinPerSecond = 0.2, 0
	stage, err := retry.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "server busy", http.StatusServiceUnavailable)
	}))
	defer upstream.Close()
	client := &http.Client{Transport: stage.Wrap(http.DefaultTransport)}
	defer client.CloseIdleConnections()

	var last string
	for range 50 {
		resp, err := client.Get(upstream.URL)
		if err != nil {
			fmt.Println(err)
			return
		}
		last = resp.Header.Get("X-Should-Retry") // for the SDK above
		_ = resp.Body.Close()
	}
	s := stage.Stats()
	fmt.Println(s.Attempts, "requests for 50 calls,", s.Budget, "given up for want of budget;", last)
	// Output: 60 requests for 50 calls, 50 given up for want of budget; false
}
