package transport_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/transport"
)

// wire is a network in memory: addresses that answer, refuse, or say nothing.
type wire struct {
	mu       sync.Mutex
	refuse   map[string]bool
	silent   map[string]bool
	slow     time.Duration
	attempts []string
	open     int
}

func (w *wire) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	w.mu.Lock()
	w.attempts = append(w.attempts, addr)
	refuse, silent := w.refuse[addr], w.silent[addr]
	w.mu.Unlock()
	switch {
	case refuse:
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	case silent:
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: network, Err: ctx.Err()}
	}
	time.Sleep(w.slow)
	here, there := net.Pipe()
	w.mu.Lock()
	w.open++
	w.mu.Unlock()
	go func() { // answers each request with 204
		defer there.Close()
		buf := make([]byte, 4096)
		for {
			if _, err := there.Read(buf); err != nil {
				w.mu.Lock()
				w.open--
				w.mu.Unlock()
				return
			}
			if _, err := there.Write([]byte("HTTP/1.1 204 No Content\r\n\r\n")); err != nil {
				continue
			}
		}
	}()
	return here, nil
}

func (w *wire) tried() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.attempts...)
}

func set(addrs ...string) map[string]bool {
	m := map[string]bool{}
	for _, a := range addrs {
		m[a] = true
	}
	return m
}

// overWire does one request over w to a name with the given addresses.
func overWire(t *testing.T, w *wire, addrs ...string) (time.Duration, error) {
	t.Helper()
	dns := new(fakeDNS)
	dns.set(nil, "a.test", addrs...)
	tr, err := transport.New(transport.DefaultConfig(), transport.WithResolver(dns), transport.WithDial(w.dial), transport.WithProxy(nil))
	require.NoError(t, err)
	begin := time.Now()
	_, _, err = get(t.Context(), tr, "http://a.test/")
	took := time.Since(begin)
	require.NoError(t, tr.Close())
	synctest.Wait()
	require.Zero(t, w.open, "every connection is closed, the losers' too")
	return took, err
}

func TestDeadFirstAddressCostsOneAttemptDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{silent: set("10.0.0.1:80")}
		took, err := overWire(t, w, "10.0.0.1", "10.0.0.2")
		require.NoError(t, err)
		require.Equal(t, 250*time.Millisecond, took)
	})
}

func TestOnlyTheFirstConnectionPaysForADeadAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{silent: set("10.0.0.1:80")}
		dns := new(fakeDNS)
		dns.set(nil, "a.test", "10.0.0.1", "10.0.0.2")
		tr, err := transport.New(transport.DefaultConfig(), transport.WithResolver(dns), transport.WithDial(w.dial), transport.WithProxy(nil))
		require.NoError(t, err)
		defer tr.Close()
		var took []time.Duration
		for range 6 {
			begun := time.Now()
			_, _, err := get(t.Context(), tr, "http://a.test/")
			require.NoError(t, err)
			took = append(took, time.Since(begun))
			tr.CloseIdleConnections()
		}
		delay := 250 * time.Millisecond
		require.Equal(t, []time.Duration{delay, 0, 0, 0, 0, 0}, took)

		time.Sleep(30 * time.Second)
		w.mu.Lock()
		w.silent = nil
		w.attempts = nil
		w.mu.Unlock()
		for range 2 {
			_, _, err := get(t.Context(), tr, "http://a.test/")
			require.NoError(t, err)
			tr.CloseIdleConnections()
		}
		require.ElementsMatch(t, []string{"10.0.0.1:80", "10.0.0.2:80"}, w.tried(), "later it has its turn again")
	})
}

func TestRefusedAddressCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{refuse: set("10.0.0.1:80", "10.0.0.2:80")}
		took, err := overWire(t, w, "10.0.0.1", "10.0.0.2", "10.0.0.3")
		require.NoError(t, err)
		require.Zero(t, took)
	})
}

func TestFamiliesAlternateBeginningWithTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v6a, v6b, v4a, v4b := "[2001:db8::1]:80", "[2001:db8::2]:80", "10.0.0.1:80", "10.0.0.2:80"
		w := &wire{refuse: set(v6a, v6b, v4a, v4b)}
		_, err := overWire(t, w, "2001:db8::1", "2001:db8::2", "10.0.0.1", "10.0.0.2")
		require.Equal(t, []string{v6a, v4a, v6b, v4b}, w.tried())
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		var terr *transport.Error
		require.ErrorAs(t, err, &terr)
		require.Equal(t, transport.PhaseConnect, terr.Phase)
		require.Equal(t, "a.test:80", terr.Host)
		require.NotContains(t, err.Error(), "\n")
	})
}

func TestSlowLoserIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{slow: 400 * time.Millisecond}
		took, err := overWire(t, w, "10.0.0.1", "10.0.0.2")
		require.NoError(t, err)
		require.Equal(t, 400*time.Millisecond, took)
		require.Len(t, w.tried(), 2, "the second joined in and lost")
	})
}

func TestDialTimeoutBoundsAllAddressesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{silent: set("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80")}
		took, err := overWire(t, w, "10.0.0.1", "10.0.0.2", "10.0.0.3")
		require.Equal(t, 5*time.Second, took)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var timeout interface{ Timeout() bool }
		require.ErrorAs(t, err, &timeout)
		require.True(t, timeout.Timeout())
		var op *net.OpError
		require.ErrorAs(t, err, &op)
		require.Equal(t, "dial", op.Op)
	})
}

func TestDialTimeoutBoundsTheLookupToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := transport.DefaultConfig()
		cfg.DialTimeout = time.Second
		tr, err := transport.New(cfg, transport.WithResolver(&fakeDNS{gate: make(chan struct{})}), transport.WithProxy(nil))
		require.NoError(t, err)
		defer tr.Close()
		begin := time.Now()
		_, _, err = get(t.Context(), tr, "http://a.test/")
		require.Equal(t, time.Second, time.Since(begin))
		var terr *transport.Error
		require.ErrorAs(t, err, &terr)
		require.Equal(t, transport.PhaseResolve, terr.Phase)
		require.True(t, terr.Timeout())
	})
}

func TestConnectionsSpreadOverTheAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(wire)
		dns := new(fakeDNS)
		dns.set(nil, "a.test", "10.0.0.1", "10.0.0.2")
		tr, err := transport.New(transport.DefaultConfig(), transport.WithResolver(dns), transport.WithDial(w.dial), transport.WithProxy(nil))
		require.NoError(t, err)
		require.NoError(t, tr.Warm(t.Context(), "http://a.test", 4))
		require.ElementsMatch(t, []string{"10.0.0.1:80", "10.0.0.1:80", "10.0.0.2:80", "10.0.0.2:80"}, w.tried())
		require.NoError(t, tr.Close())
	})
}

func TestDNSDownAfterTheFirstSuccessFailsNoRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := transport.DefaultConfig()
		w, dns := new(wire), new(fakeDNS)
		dns.set(nil, "a.test", "10.0.0.1")
		tr, err := transport.New(cfg, transport.WithResolver(dns), transport.WithDial(w.dial), transport.WithProxy(nil))
		require.NoError(t, err)
		defer tr.Close()
		_, _, err = get(t.Context(), tr, "http://a.test/")
		require.NoError(t, err)

		dns.set(errors.New("DNS is down"), "a.test")
		for range 60 { // an hour, a new connection each time
			time.Sleep(time.Minute)
			_, _, err = get(t.Context(), tr, "http://a.test/")
			require.NoError(t, err)
		}
		time.Sleep(time.Minute)
		_, _, err = get(t.Context(), tr, "http://a.test/")
		var terr *transport.Error
		require.ErrorAs(t, err, &terr)
		require.Equal(t, transport.PhaseResolve, terr.Phase)
		require.Len(t, w.tried(), 61)
	})
}

func TestCallerThatGivesUpDoesNotWaitForTheDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{silent: set("10.0.0.1:80")}
		dns := new(fakeDNS)
		dns.set(nil, "a.test", "10.0.0.1")
		tr, err := transport.New(transport.DefaultConfig(), transport.WithResolver(dns), transport.WithDial(w.dial), transport.WithProxy(nil))
		require.NoError(t, err)
		defer tr.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		begin := time.Now()
		_, _, err = get(ctx, http.RoundTripper(tr), "http://a.test/")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 100*time.Millisecond, time.Since(begin))
	})
}
