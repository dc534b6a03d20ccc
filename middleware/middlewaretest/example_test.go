package middlewaretest_test

import (
	"fmt"
	"io"
	"net/http"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

// An upstream that is busy twice and then answers.
func ExampleStart() {
	cfg := middlewaretest.DefaultConfig()
	cfg.Script = middlewaretest.Sequence(
		middlewaretest.Text(http.StatusServiceUnavailable, "server busy").With("Retry-After", "1"),
		middlewaretest.Text(http.StatusServiceUnavailable, "server busy"),
		middlewaretest.Text(http.StatusOK, "hello"),
	)
	up, err := middlewaretest.Start(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer up.Close()

	client := up.Client()
	for range 3 {
		resp, err := client.Get(up.URL)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		fmt.Println(resp.StatusCode, string(body))
	}
	stats := up.Stats()
	fmt.Println(stats.Requests, "requests over", stats.Connections, "connection")
	// Output:
	// 503 server busy
	// 503 server busy
	// 200 hello
	// 3 requests over 1 connection
}

// A body that breaks off after five bytes, as a connection does that is lost in the middle of a stream.
func ExampleAnswer() {
	up, err := middlewaretest.Start(middlewaretest.Config{Script: middlewaretest.Always(middlewaretest.Answer{
		Body:  []byte("hello, world"),
		Fault: middlewaretest.CutBody,
		After: 5,
	})})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer up.Close()

	resp, err := up.Client().Get(up.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Printf("%q, %v\n", body, err)
	// Output:
	// "hello", unexpected EOF
}
