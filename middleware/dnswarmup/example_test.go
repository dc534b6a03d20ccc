package dnswarmup_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/dnswarmup"
	"github.com/headgate-go/headgate/transport"
)

func Example() {
	upstream := httptest.NewServer(http.NotFoundHandler())
	defer upstream.Close()

	base, err := transport.New(transport.DefaultConfig())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer base.Close()
	cfg := dnswarmup.DefaultConfig()
	cfg.Hosts = []string{upstream.URL}
	stage, err := dnswarmup.New(cfg, dnswarmup.WithWarmer(base))
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: middleware.Chain(base, stage.Wrap)}

	ctx := context.Background()
	if err := stage.Start(ctx); err != nil { // DNS, TCP and TLS are paid here
		fmt.Println(err)
		return
	}
	defer stage.Stop(ctx)
	resp, err := client.Get(upstream.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.StatusCode, stage.Stats()[0].Warm)
	// Output: 404 true
}
