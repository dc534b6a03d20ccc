package middlewaretest

import (
	"crypto/tls"
	"net/http"
	"time"
)

// Transport returns a new plain transport that trusts the upstream's certificate and speaks its protocol. It
// uses no proxy and keeps up to 1,024 idle connections, so that reuse is not what a test measures. Close
// closes its idle connections.
func (u *Upstream) Transport() *http.Transport {
	t := &http.Transport{
		MaxIdleConnsPerHost: 1024,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
		// Longer than any scripted answer should take: a body that is sent because the wait for
		// "100 Continue" ran out would be a matter of luck.
		ExpectContinueTimeout: 30 * time.Second,
		Protocols:             new(http.Protocols),
	}
	if u.cfg.TLS {
		t.TLSClientConfig = &tls.Config{RootCAs: u.roots, MinVersion: tls.VersionTLS12}
	}
	t.Protocols.SetHTTP1(!u.cfg.HTTP2 || u.cfg.TLS)
	t.Protocols.SetHTTP2(u.cfg.HTTP2 && u.cfg.TLS)
	t.Protocols.SetUnencryptedHTTP2(u.cfg.HTTP2 && !u.cfg.TLS)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.transports = append(u.transports, t)
	return t
}

// Client returns a new plain client of the upstream, without a timeout, over a [Upstream.Transport] of its own.
func (u *Upstream) Client() *http.Client {
	return &http.Client{Transport: u.Transport()}
}

func serverTLS(certificate tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
}
