package timeout_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
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

// An idle limit cuts a stream that falls silent, however long it has been going.
func Example_idle() {
	stage, err := timeout.New(timeout.Config{Limit: 50 * time.Millisecond, Until: timeout.UntilProgress},
		timeout.WithReporter(middleware.Reporter{Stage: "timeout/idle"}))
	if err != nil {
		fmt.Println(err)
		return
	}
	upstream := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		body, write := io.Pipe()
		go func() {
			_, _ = io.Copy(write, strings.NewReader("Once upon a time"))
			<-req.Context().Done() // falls silent
			_ = write.CloseWithError(req.Context().Err())
		}()
		return &http.Response{StatusCode: http.StatusOK, Body: body, Request: req}, nil
	})
	client := &http.Client{Transport: stage.Wrap(upstream)}

	resp, err := client.Get("http://api.example.com/story")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	story, err := io.ReadAll(resp.Body)
	fmt.Printf("%s ... %v\n", story, err)

	var late *timeout.Error
	fmt.Println(errors.As(err, &late) && late.Until == timeout.UntilProgress)
	// Output:
	// Once upon a time ... timeout/idle: no progress for 50ms
	// true
}
