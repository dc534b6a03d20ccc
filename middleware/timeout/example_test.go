package timeout_test

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/timeout"
)

func Example() {
	stage, err := timeout.New(timeout.Config{Limit: 50 * time.Millisecond, Until: timeout.UntilHeaders})
	if err != nil {
		fmt.Println(err)
		return
	}
	upstream := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done() // hangs
		return nil, req.Context().Err()
	})
	client := &http.Client{Transport: stage.Wrap(upstream)}

	_, err = client.Get("http://api.example.com/")
	fmt.Println(errors.Is(err, timeout.ErrTimeout), err)
	// Output: true Get "http://api.example.com/": timeout: no headers within 50ms
}
