package main

import (
	"net/http"

	"github.com/bartventer/httpcache"
	_ "github.com/bartventer/httpcache/store/memcache"
	gregjones "github.com/gregjones/httpcache"
	sandrolain "github.com/sandrolain/httpcache"

	headgate "github.com/headgate-go/headgate/middleware/httpcache"
)

// client is a cache in memory over a base, new for each measurement.
type client struct {
	name string
	over func(base http.RoundTripper) http.RoundTripper
}

func clients() []client {
	return []client{
		{"Headgate", func(base http.RoundTripper) http.RoundTripper {
			c, err := headgate.New(headgate.DefaultConfig())
			if err != nil {
				panic(err) // the default configuration
			}
			return c.Wrap(base)
		}},
		{"bartventer", func(base http.RoundTripper) http.RoundTripper {
			return httpcache.NewTransport("memcache://", httpcache.WithUpstream(base))
		}},
		{"sandrolain", func(base http.RoundTripper) http.RoundTripper {
			t := sandrolain.NewMemoryCacheTransport()
			t.Transport = base
			return t
		}},
		{"gregjones", func(base http.RoundTripper) http.RoundTripper {
			t := gregjones.NewMemoryCacheTransport()
			t.Transport = base
			return t
		}},
	}
}

// without is no cache at all: what it takes, the machine takes.
var without = client{"without a cache", func(base http.RoundTripper) http.RoundTripper { return base }}
