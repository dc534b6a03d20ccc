package transport_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/headgate-go/headgate/transport"
)

// The connection is opened before the first request, which then does not wait for
// it. The network is made slow, so that it shows.
func Example() {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "hello")
	}))
	defer upstream.Close()

	var dials atomic.Int32
	slow := func(ctx context.Context, network, addr string) (net.Conn, error) {
		dials.Add(1)
		time.Sleep(50 * time.Millisecond)
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	tr, err := transport.New(transport.DefaultConfig(), transport.WithDial(slow))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tr.Close()

	if err := tr.Warm(context.Background(), upstream.URL, 2); err != nil {
		fmt.Println(err) // names the host and the phase that failed
		return
	}
	fmt.Println("dials while warming:", dials.Load())

	client := &http.Client{Transport: tr}
	resp, err := client.Get(upstream.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	fmt.Println(resp.Status)
	fmt.Println("dials after the request:", dials.Load())
	// Output:
	// dials while warming: 2
	// 200 OK
	// dials after the request: 2
}

// All mistakes are reported together.
func ExampleConfig_Validate() {
	cfg := transport.DefaultConfig()
	cfg.DialTimeout = 0
	cfg.MaxIdleConnsPerHost = 1000
	fmt.Println(cfg.Validate())
	// Output:
	// dial_timeout: 0s: must be above 0
	// max_idle_conns_per_host: 1000: must not be above max_idle_conns, which is 512
}

// The resolver can also serve other clients of the same names.
func ExampleNewCachingResolver() {
	r, err := transport.NewCachingResolver(transport.DefaultResolverConfig(), net.DefaultResolver)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	addrs, err := r.LookupNetIP(context.Background(), "ip", "192.0.2.1")
	fmt.Println(addrs, err)
	// Output:
	// [192.0.2.1] <nil>
}
