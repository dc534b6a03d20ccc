package llm_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/headgate-go/headgate/middleware/llm"
)

// An upstream that is busy and says so within a 200.
func Example() {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, ": keep-alive\n\ndata: {\"error\":{\"code\":\"server_is_overloaded\"}}\n\n")
	}))
	defer upstream.Close()

	stage, err := llm.New(llm.DefaultConfig())
	if err != nil {
		fmt.Println(err)
		return
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: stage.Wrap(transport)}
	resp, err := client.Post(upstream.URL, "application/json", strings.NewReader(`{"stream": true}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.Status)
	fmt.Println(string(body))
	// Output:
	// 503 Service Unavailable
	// {"error":{"code":"server_is_overloaded"}}
}
