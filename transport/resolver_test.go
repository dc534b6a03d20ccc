package transport_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/transport"
)

var errDNS = errors.New("DNS is down")

func newResolver(t testing.TB, cfg transport.ResolverConfig, dns transport.Resolver) *transport.CachingResolver {
	t.Helper()
	r, err := transport.NewCachingResolver(cfg, dns)
	require.NoError(t, err)
	t.Cleanup(func() { r.Close() })
	return r
}

func lookup(t *testing.T, r transport.Resolver, host string) string {
	t.Helper()
	addrs, err := r.LookupNetIP(t.Context(), "ip", host)
	require.NoError(t, err)
	return addrs[0].String()
}

func TestAnswerIsServedFromMemoryForItsTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := new(fakeDNS)
		dns.set(nil, "a.test", "10.0.0.1")
		cfg := transport.DefaultResolverConfig()
		cfg.RefreshAt = 1
		r := newResolver(t, cfg, dns)

		require.Equal(t, "10.0.0.1", lookup(t, r, "a.test"))
		dns.set(nil, "a.test", "10.0.0.2")
		time.Sleep(30*time.Second - 1)
		require.Equal(t, "10.0.0.1", lookup(t, r, "A.test"), "one nanosecond before, and in capitals")
		require.Equal(t, 1, dns.count())
		time.Sleep(time.Nanosecond)
		require.Equal(t, "10.0.0.2", lookup(t, r, "a.test"), "on the nanosecond")
		require.Equal(t, 2, dns.count())
	})
}

func TestStaleAnswerIsServedWhileLookupsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := transport.DefaultResolverConfig()
		dns := new(fakeDNS)
		dns.set(nil, "a.test", "10.0.0.1")
		r := newResolver(t, cfg, dns)
		lookup(t, r, "a.test")

		dns.set(errDNS, "a.test")
		time.Sleep(cfg.TTL)
		require.Equal(t, "10.0.0.1", lookup(t, r, "a.test"))
		require.Equal(t, 2, dns.count())
		require.Equal(t, "10.0.0.1", lookup(t, r, "a.test"))
		require.Equal(t, 2, dns.count(), "no further lookup during retry_interval")
		time.Sleep(cfg.RetryInterval)
		require.Equal(t, "10.0.0.1", lookup(t, r, "a.test"))
		require.Equal(t, 3, dns.count())

		time.Sleep(cfg.Stale)
		_, err := r.LookupNetIP(t.Context(), "ip", "a.test")
		require.ErrorIs(t, err, errDNS, "older than ttl + stale")

		dns.set(nil, "a.test", "10.0.0.9")
		require.Equal(t, "10.0.0.9", lookup(t, r, "a.test"), "recovery is noticed at once")
	})
}

func TestSlowLookupDoesNotHoldUpWhoHasAStaleAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := transport.DefaultResolverConfig()
		dns := new(fakeDNS)
		dns.set(nil, "a.test", "10.0.0.1")
		r := newResolver(t, cfg, dns)
		lookup(t, r, "a.test")
		time.Sleep(cfg.TTL)

		dns.gate = make(chan struct{})
		dns.set(nil, "a.test", "10.0.0.2")
		begin := time.Now()
		require.Equal(t, "10.0.0.1", lookup(t, r, "a.test"))
		require.Equal(t, cfg.StaleWait, time.Since(begin))
		close(dns.gate)
		synctest.Wait()
		require.Equal(t, "10.0.0.2", lookup(t, r, "a.test"), "the late answer serves the next caller")
		require.Equal(t, 2, dns.count())
	})
}

func TestErrorsAreNotCached(t *testing.T) {
	dns := new(fakeDNS)
	dns.set(errDNS, "a.test")
	r := newResolver(t, transport.DefaultResolverConfig(), dns)
	for range 3 {
		_, err := r.LookupNetIP(t.Context(), "ip", "a.test")
		require.ErrorIs(t, err, errDNS)
	}
	require.Equal(t, 3, dns.count())
	dns.set(nil, "a.test", "10.0.0.1")
	require.Equal(t, "10.0.0.1", lookup(t, r, "a.test"))
}

func TestEmptyAnswerIsNoSuchHost(t *testing.T) {
	r := newResolver(t, transport.DefaultResolverConfig(), new(fakeDNS))
	_, err := r.LookupNetIP(t.Context(), "ip", "a.test")
	var dnsErr *net.DNSError
	require.ErrorAs(t, err, &dnsErr)
	require.True(t, dnsErr.IsNotFound)
}

func TestManyCallersShareOneLookupAndOneLeavingDoesNotEndIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := &fakeDNS{gate: make(chan struct{})}
		dns.set(nil, "a.test", "10.0.0.1")
		r := newResolver(t, transport.DefaultResolverConfig(), dns)

		first, leave := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() {
			_, err := r.LookupNetIP(first, "ip", "a.test")
			left <- err
		}()
		synctest.Wait()
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				addrs, err := r.LookupNetIP(t.Context(), "ip", "a.test")
				if err != nil || len(addrs) != 1 {
					t.Errorf("got %v, %v", addrs, err)
				}
			})
		}
		synctest.Wait()
		leave()
		require.ErrorIs(t, <-left, context.Canceled)
		close(dns.gate)
		wg.Wait()
		require.Equal(t, 1, dns.count())
	})
}

func TestLookupTimeoutBoundsALookupThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newResolver(t, transport.DefaultResolverConfig(), &fakeDNS{gate: make(chan struct{})})
		begin := time.Now()
		_, err := r.LookupNetIP(t.Context(), "ip", "a.test")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 5*time.Second, time.Since(begin))
	})
}

func TestNamesAreBoundedAndTheLeastRecentlyUsedGoesFirst(t *testing.T) {
	cfg := transport.DefaultResolverConfig()
	cfg.MaxHosts = 2
	dns := new(fakeDNS)
	for _, h := range []string{"a.test", "b.test", "c.test"} {
		dns.set(nil, h, "10.0.0.1")
	}
	r := newResolver(t, cfg, dns)
	for _, h := range []string{"a.test", "b.test", "a.test", "c.test", "a.test"} {
		lookup(t, r, h)
	}
	require.Equal(t, 3, dns.count(), "a was used and stayed")
	lookup(t, r, "b.test")
	require.Equal(t, 4, dns.count(), "b gave way")
}

func TestLookupsAtOneTimeAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := transport.DefaultResolverConfig()
		cfg.MaxHosts = 2
		r := newResolver(t, cfg, &fakeDNS{gate: make(chan struct{})})
		for i := range 2 {
			go r.LookupNetIP(t.Context(), "ip", fmt.Sprintf("%d.test", i))
		}
		synctest.Wait()
		_, err := r.LookupNetIP(t.Context(), "ip", "one.too.many.test")
		require.ErrorContains(t, err, "resolver.max_hosts")
	})
}

func TestAddressIsItsOwnAnswer(t *testing.T) {
	dns := new(fakeDNS)
	r := newResolver(t, transport.DefaultResolverConfig(), dns)
	for _, ip := range []string{"127.0.0.1", "::1", "fe80::1%eth0"} {
		require.Equal(t, ip, lookup(t, r, ip))
	}
	require.Zero(t, dns.count())
}

func TestCallerOwnsTheAnswer(t *testing.T) {
	dns := new(fakeDNS)
	dns.set(nil, "a.test", "10.0.0.1")
	r := newResolver(t, transport.DefaultResolverConfig(), dns)
	for range 2 {
		addrs, err := r.LookupNetIP(t.Context(), "ip", "a.test")
		require.NoError(t, err)
		require.Equal(t, "10.0.0.1", addrs[0].String())
		addrs[0] = netip.MustParseAddr("192.0.2.1")
	}
}

func TestClosedResolverCancelsItsLookups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newResolver(t, transport.DefaultResolverConfig(), &fakeDNS{gate: make(chan struct{})})
		got := make(chan error, 1)
		go func() {
			_, err := r.LookupNetIP(t.Context(), "ip", "a.test")
			got <- err
		}()
		synctest.Wait()
		require.NoError(t, r.Close())
		require.ErrorIs(t, <-got, transport.ErrClosed)
		_, err := r.LookupNetIP(t.Context(), "ip", "b.test")
		require.ErrorIs(t, err, transport.ErrClosed)
		require.NoError(t, r.Close(), "twice")
	})
}

func TestTraceSeesLookupsButNotAnswersFromMemory(t *testing.T) {
	dns := new(fakeDNS)
	dns.set(nil, "a.test", "10.0.0.1")
	r := newResolver(t, transport.DefaultResolverConfig(), dns)
	var seen []string
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		DNSStart: func(i httptrace.DNSStartInfo) { seen = append(seen, "start "+i.Host) },
		DNSDone:  func(i httptrace.DNSDoneInfo) { seen = append(seen, "done "+i.Addrs[0].String()) },
	})
	for range 2 {
		_, err := r.LookupNetIP(ctx, "ip", "a.test")
		require.NoError(t, err)
	}
	require.Equal(t, []string{"start a.test", "done 10.0.0.1"}, seen)
}

func BenchmarkResolverCached(b *testing.B) {
	dns := new(fakeDNS)
	dns.set(nil, "api.example.com", "10.0.0.1", "10.0.0.2")
	r := newResolver(b, transport.DefaultResolverConfig(), dns)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.LookupNetIP(b.Context(), "ip", "api.example.com"); err != nil {
			b.Fatal(err)
		}
	}
}
