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
