package transport_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/headgate-go/headgate/transport"
)

// families answers each family on its own: after a time, with addresses or an error.
type families struct {
	mu    sync.Mutex
	takes map[string]time.Duration
	addrs map[string][]netip.Addr
	errs  map[string]error
}

func (f *families) LookupNetIP(ctx context.Context, network, _ string) ([]netip.Addr, error) {
	f.mu.Lock()
	takes, addrs, err := f.takes[network], f.addrs[network], f.errs[network]
	f.mu.Unlock()
	select {
	case <-time.After(takes):
		return addrs, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func addrs(list ...string) []netip.Addr {
	var all []netip.Addr
	for _, a := range list {
		all = append(all, netip.MustParseAddr(a))
	}
	return all
}

func TestFamiliesAreAskedAtTheSameTimeAndTheSlowOneHasTheResolutionDelay(t *testing.T) {
	six, four := addrs("2001:db8::1"), addrs("10.0.0.1")
	for name, tc := range map[string]struct {
		six, four time.Duration
		took      time.Duration
		first     []netip.Addr
		later     []netip.Addr
	}{
		"both soon":             {100 * time.Millisecond, 80 * time.Millisecond, 100 * time.Millisecond, append(six, four...), append(six, four...)},
		"IPv6 is late":          {time.Second, 80 * time.Millisecond, 130 * time.Millisecond, four, append(six, four...)},
		"IPv4 is late":          {80 * time.Millisecond, time.Second, 130 * time.Millisecond, six, append(six, four...)},
		"IPv6 is never told of": {time.Hour, 80 * time.Millisecond, 130 * time.Millisecond, four, four},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dns := &families{
					takes: map[string]time.Duration{"ip6": tc.six, "ip4": tc.four},
					addrs: map[string][]netip.Addr{"ip6": six, "ip4": four},
				}
				r := newResolver(t, transport.DefaultResolverConfig(), dns)
				begun := time.Now()
				got, err := r.LookupNetIP(t.Context(), "ip", "a.test")
				require.NoError(t, err)
				require.Equal(t, tc.took, time.Since(begun))
				require.Equal(t, tc.first, got)
				time.Sleep(6 * time.Second)
				got, err = r.LookupNetIP(t.Context(), "ip", "a.test")
				require.NoError(t, err)
				require.Equal(t, tc.later, got, "what came late serves the next caller")
			})
		})
	}
}

func TestOneFamilyThatFailsDoesNotFailTheOtherAndKeepsItsAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := &families{
			addrs: map[string][]netip.Addr{"ip6": addrs("2001:db8::1"), "ip4": addrs("10.0.0.1")},
			errs:  map[string]error{},
		}
		cfg := transport.DefaultResolverConfig()
		r := newResolver(t, cfg, dns)
		lookup(t, r, "a.test")
		dns.mu.Lock()
		dns.errs["ip6"] = errors.New("SERVFAIL")
		dns.addrs["ip4"] = addrs("10.0.0.2")
		dns.mu.Unlock()
		time.Sleep(cfg.TTL)
		got, err := r.LookupNetIP(t.Context(), "ip", "a.test")
		require.NoError(t, err)
		require.Equal(t, addrs("2001:db8::1", "10.0.0.2"), got)
	})
}

func TestAnAnswerInUseIsRenewedBeforeItIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := new(fakeDNS)
		dns.set(nil, "a.test", "10.0.0.1")
		r := newResolver(t, transport.DefaultResolverConfig(), dns)
		lookup(t, r, "a.test")
		dns.set(nil, "a.test", "10.0.0.2")
		time.Sleep(24*time.Second - 1)
		require.Equal(t, "10.0.0.1", lookup(t, r, "a.test"))
		synctest.Wait()
		require.Equal(t, 1, dns.count())
		time.Sleep(time.Nanosecond)
		require.Equal(t, "10.0.0.1", lookup(t, r, "a.test"), "nobody waits for the new answer")
		synctest.Wait()
		require.Equal(t, 2, dns.count())
		require.Equal(t, "10.0.0.2", lookup(t, r, "a.test"))

		time.Sleep(time.Hour)
		require.Equal(t, 2, dns.count(), "a name that nobody asks for is left alone")
	})
}

func TestARefreshThatFailsWaitsForItsRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := new(fakeDNS)
		dns.set(nil, "a.test", "10.0.0.1")
		r := newResolver(t, transport.DefaultResolverConfig(), dns)
		lookup(t, r, "a.test")
		dns.set(errDNS, "a.test")
		time.Sleep(24 * time.Second)
		for range 10 {
			lookup(t, r, "a.test")
			synctest.Wait()
		}
		require.Equal(t, 2, dns.count())
		time.Sleep(5 * time.Second)
		lookup(t, r, "a.test")
		synctest.Wait()
		require.Equal(t, 3, dns.count())
	})
}

func TestStaticHostsAreNotLookedUp(t *testing.T) {
	cfg := transport.DefaultResolverConfig()
	cfg.Hosts = map[string][]string{"API.internal": {"10.0.0.1", "2001:db8::1"}}
	dns := new(fakeDNS)
	r := newResolver(t, cfg, dns)
	for network, want := range map[string]string{"ip": "[10.0.0.1 2001:db8::1]", "ip4": "[10.0.0.1]", "ip6": "[2001:db8::1]"} {
		got, err := r.LookupNetIP(t.Context(), network, "api.internal.")
		require.NoError(t, err)
		require.Equal(t, want, fmt.Sprint(got))
	}
	require.Zero(t, dns.count())
}

func TestAServerOfOnesOwnIsAsked(t *testing.T) {
	dns := startDNS(t)
	dns.set("api.test", "10.0.0.1", "2001:db8::1")
	r := newResolver(t, dns.asks(time.Minute).Resolver, nil)
	got, err := r.LookupNetIP(t.Context(), "ip", "api.test")
	require.NoError(t, err)
	require.Equal(t, addrs("2001:db8::1", "10.0.0.1"), got)
	_, err = r.LookupNetIP(t.Context(), "ip", "api.test")
	require.NoError(t, err)
	require.Equal(t, 1, dns.count(dnsmessage.TypeA))
	require.Equal(t, 1, dns.count(dnsmessage.TypeAAAA))
}

// Servers that drop questions for IPv6 are an old ill; net.Resolver alone waits for them.
func TestAServerThatDropsQuestionsForIPv6CostsTheResolutionDelay(t *testing.T) {
	dns := startDNS(t)
	dns.set("api.test", "10.0.0.1")
	dns.change(func() { dns.silent[dnsmessage.TypeAAAA] = true })
	r := newResolver(t, dns.asks(time.Minute).Resolver, nil)
	begun := time.Now()
	require.Equal(t, "10.0.0.1", lookup(t, r, "api.test"))
	require.Less(t, time.Since(begun), 5*time.Second, "the timeout of a lookup")
}

func TestAServerThatFailsOrIsGoneLeavesTheLastAnswer(t *testing.T) {
	dns := startDNS(t)
	dns.set("api.test", "10.0.0.1")
	cfg := dns.asks(10 * time.Millisecond).Resolver
	cfg.RetryInterval = 0 // so that it is asked each time
	r := newResolver(t, cfg, nil)
	require.Equal(t, "10.0.0.1", lookup(t, r, "api.test"))
	for _, ill := range []func(){
		func() { dns.down = true },
		func() { dns.down = false; delete(dns.records, "api.test") },
		func() { dns.silent[dnsmessage.TypeA], dns.silent[dnsmessage.TypeAAAA] = true, true },
	} {
		dns.change(ill)
		time.Sleep(cfg.TTL)
		require.Equal(t, "10.0.0.1", lookup(t, r, "api.test"))
	}
	dns.change(func() { dns.down = true; clear(dns.silent) })
	_, err := r.LookupNetIP(t.Context(), "ip", "other.test")
	var failed *net.DNSError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, cfg.Server, failed.Server, "not the one of resolv.conf, which was not asked")
}
