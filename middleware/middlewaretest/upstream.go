package middlewaretest

import (
	"context"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Upstream is a scripted HTTP server on loopback. Its methods are safe for concurrent use.
type Upstream struct {
	// URL is the base URL, without a slash at its end: "http://127.0.0.1:40001".
	URL string

	cfg    Config
	script atomic.Pointer[Script]
	rec    *recorder
	slots  *slots
	server *http.Server
	ln     *listener
	roots  *x509.CertPool // nil without TLS

	running context.Context // ends at Close, and every request's context with it
	stop    context.CancelFunc
	work    sync.WaitGroup // the accept loop and the requests being served

	mu         sync.Mutex
	closed     bool
	transports []*http.Transport
}

// Start starts an upstream on a free port of 127.0.0.1. The caller closes it.
func Start(cfg Config) (*Upstream, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	u := newUpstream(cfg)
	if err := u.listen(); err != nil {
		u.stop()
		return nil, err
	}
	return u, nil
}

// newUpstream makes an upstream that serves, but does not listen yet.
func newUpstream(cfg Config) *Upstream {
	u := &Upstream{
		cfg:   cfg,
		rec:   newRecorder(cfg),
		slots: &slots{capacity: cfg.Capacity, bound: cfg.Queue},
	}
	u.SetScript(cfg.Script)
	u.running, u.stop = context.WithCancel(context.Background())
	u.server = &http.Server{
		Handler:     http.HandlerFunc(u.serve),
		BaseContext: func(net.Listener) context.Context { return u.running },
		ConnContext: withConn,
		Protocols:   new(http.Protocols),
		// What it would log is what the script asked for: cut connections, handshakes broken off.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	u.server.Protocols.SetHTTP1(true)
	u.server.Protocols.SetHTTP2(cfg.HTTP2 && cfg.TLS)
	u.server.Protocols.SetUnencryptedHTTP2(cfg.HTTP2 && !cfg.TLS)
	return u
}

func (u *Upstream) listen() error {
	scheme := "http://"
	if u.cfg.TLS {
		certificate, roots, err := newCertificate()
		if err != nil {
			return err
		}
		scheme, u.roots = "https://", roots
		u.server.TLSConfig = serverTLS(certificate)
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	u.ln = newListener(inner, u.rec)
	u.URL = scheme + inner.Addr().String()
	u.work.Go(func() {
		// It returns when Close closes the listener, and only with that news.
		if u.cfg.TLS {
			_ = u.server.ServeTLS(u.ln, "", "")
		} else {
			_ = u.server.Serve(u.ln)
		}
	})
	return nil
}

// New starts an upstream for a test, with [DefaultConfig] and the script, and closes it when the test is over.
// The changes are made to the configuration before the start. It ends the test if the upstream cannot start.
func New(tb testing.TB, script Script, changes ...func(*Config)) *Upstream {
	tb.Helper()
	cfg := DefaultConfig()
	cfg.Script = script
	for _, change := range changes {
		change(&cfg)
	}
	u, err := Start(cfg)
	if err != nil {
		tb.Fatalf("middlewaretest: the upstream did not start: %v", err)
	}
	tb.Cleanup(u.Close)
	return u
}

// Close ends every wait of the upstream, closes its connections and the idle ones of its transports, and
// returns when no request is being served any more. A second Close does nothing.
func (u *Upstream) Close() {
	u.mu.Lock()
	closed, transports := u.closed, u.transports
	u.closed, u.transports = true, nil
	u.mu.Unlock()
	if !closed {
		u.stop()
		_ = u.server.Close() // its error is that of a listener that is closed already
		u.ln.closeAll()
		for _, t := range transports {
			t.CloseIdleConnections()
		}
	}
	u.work.Wait()
}

// enter lets a request in, unless the upstream is closed.
func (u *Upstream) enter() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return false
	}
	u.work.Add(1)
	return true
}

// SetCapacity changes the number of slots while the upstream runs; 0 lifts the limit, less counts as 0.
// A smaller capacity breaks off nothing that is being served.
func (u *Upstream) SetCapacity(slots int) {
	u.slots.resize(max(slots, 0), time.Now())
	u.rec.changed()
}

// SetScript changes the answers for the requests admitted from now on. Nil is an empty 200 for everybody.
func (u *Upstream) SetScript(script Script) {
	if script == nil {
		script = Always(Answer{})
	}
	u.script.Store(&script)
}
