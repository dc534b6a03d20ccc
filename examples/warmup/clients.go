package main

import (
	"context"
	"embed"
	"net"
	"net/http"

	"github.com/headgate-go/headgate/middleware/dnswarmup"
	"github.com/headgate-go/headgate/pipeline"
	"github.com/headgate-go/headgate/transport"
)

//go:embed http.yaml
var config embed.FS

// maker makes a client for an upstream, ready for its first request.
type maker struct {
	name string
	make func(ctx context.Context, u *upstream, callers int) (*client, error)
}

// client is what the callers share.
type client struct {
	*http.Client
	stop   func()
	report func() []pipeline.StageReport // nil if it keeps none
}

// plain is what net/http does by default, on the slow network.
var plain = maker{"net/http", func(_ context.Context, u *upstream, _ int) (*client, error) {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.Proxy = nil
	base.TLSClientConfig = u.trust()
	base.DialContext = func(ctx context.Context, protocol, addr string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		addrs, err := u.network.LookupNetIP(ctx, "ip4", host)
		if err != nil {
			return nil, err
		}
		return u.network.dial(ctx, protocol, net.JoinHostPort(addrs[0].String(), port))
	}
	return &client{Client: &http.Client{Transport: base}, stop: base.CloseIdleConnections}, nil
}}

// headgate is the pipeline of http.yaml. Its transport is made here, because the
// slow network has to get into it.
var headgate = maker{"headgate", func(ctx context.Context, u *upstream, callers int) (*client, error) {
	file, err := pipeline.Load(config, "http.yaml")
	if err != nil {
		return nil, err
	}
	cfg, err := file.Pipeline("api")
	if err != nil {
		return nil, err
	}
	warm := cfg.Stages["dns_warmup"].(dnswarmup.Config)
	warm.Hosts, warm.Connections = []string{u.url()}, callers
	cfg.Stages["dns_warmup"] = warm
	base, err := transport.New(*cfg.Transport, transport.WithResolver(u.network), transport.WithDial(u.network.dial), transport.WithTLSConfig(u.trust()))
	if err != nil {
		return nil, err
	}
	p, err := pipeline.New("api", cfg, pipeline.WithBase(base))
	if err != nil {
		return nil, err
	}
	stop := func() {
		_ = p.Stop(context.WithoutCancel(ctx)) // its error would say that requests are under way: none is
		base.Close()
	}
	if err := p.Start(ctx); err != nil {
		stop()
		return nil, err
	}
	return &client{p.Client(), stop, p.Report}, nil
}}
