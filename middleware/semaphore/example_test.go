package semaphore_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/semaphore"
)

func Example() {
	cfg := semaphore.DefaultConfig()
	cfg.MaxConcurrent, cfg.Queue = 1, 0
	stage, err := semaphore.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	defer upstream.Close()
	client := &http.Client{Transport: stage.Wrap(http.DefaultTransport)}
	defer client.CloseIdleConnections()

	first, err := client.Get(upstream.URL)
	fmt.Println(first.StatusCode, err)
	_, err = client.Get(upstream.URL) // the first body is still open
	fmt.Println(errors.Is(err, semaphore.ErrQueueFull), errors.Is(err, middleware.ErrRejected))
	first.Body.Close()
	third, err := client.Get(upstream.URL)
	fmt.Println(third.StatusCode, err)
	third.Body.Close()
	// Output:
	// 200 <nil>
	// true true
	// 200 <nil>
}
