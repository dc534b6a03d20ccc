package fallback_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
)

func Example() {
	cfg := fallback.DefaultConfig()
	cfg.Answers = []fallback.AnswerConfig{{Static: &fallback.Static{
		Status:  200,
		Headers: map[string]string{"Content-Type": "text/plain"},
		Body:    "The assistant is busy, please try again.",
	}}}
	stage, err := fallback.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	busy := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody, Request: req}, nil
	})
	client := &http.Client{Transport: middleware.Chain(busy, stage.Wrap)}

	resp, err := client.Get("http://api.example.com/")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.StatusCode, resp.Header.Get("Headgate-Fallback"))
	fmt.Println(string(text))
	// Output:
	// 200 static; reason=busy
	// The assistant is busy, please try again.
}

// A function first asks another upstream; a fixed answer is the last resort.
func ExampleWithAnswer() {
	mirror := fallback.Func(func(req *http.Request, failure fallback.Failure) (*http.Response, error) {
		second := req.Clone(req.Context())
		second.URL.Host, second.Host = "mirror.example.com", ""
		resp, err := failure.Next.RoundTrip(second)
		if err == nil && resp.StatusCode != http.StatusOK {
			_ = resp.Body.Close()
			return nil, fmt.Errorf("the mirror answered %d", resp.StatusCode)
		}
		return resp, err
	})
	cfg := fallback.DefaultConfig()
	cfg.Answers = []fallback.AnswerConfig{
		{Func: "mirror"},
		{Static: &fallback.Static{Status: 503, Headers: map[string]string{"Retry-After": "30"}}},
	}
	stage, err := fallback.New(cfg, fallback.WithAnswer("mirror", mirror))
	if err != nil {
		fmt.Println(err)
		return
	}
	upstream := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		middleware.CloseBody(req)
		if req.URL.Host != "mirror.example.com" {
			return nil, io.ErrUnexpectedEOF
		}
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("from the mirror")), Request: req}, nil
	})
	client := &http.Client{Transport: middleware.Chain(upstream, stage.Wrap)}

	resp, err := client.Post("http://api.example.com/", "text/plain", strings.NewReader("question"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	fmt.Println(string(text), "|", resp.Header.Get("Headgate-Fallback"))
	// Output: from the mirror | mirror; reason=failure
}
