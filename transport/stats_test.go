package transport_test

import (
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/transport"
)

func TestStatsTellHandshakesReuseAndLookups(t *testing.T) {
	for p, handshakes := range map[protocol]uint64{http1: 0, http1TLS: 2, http2: 1} {
		t.Run(string(p), func(t *testing.T) {
			up := serve(t, p, text("ok"))
			var events recorder
			tr := newTransport(t, transport.DefaultConfig(), trusts(up), transport.WithEvents(events.add))
			require.NoError(t, tr.Warm(t.Context(), up.URL, 2))
			if p != http2 {
				require.Equal(t, 2, tr.Stats().Connections.Warm)
			}
			const requests = 10
			for range requests {
				_, _, err := get(t.Context(), tr, up.URL)
				require.NoError(t, err)
			}
			s := tr.Stats()
			require.EqualValues(t, requests, s.Requests)
			require.EqualValues(t, requests-1, s.Reused, "the first one uses a connection that has served nobody")
			require.EqualValues(t, handshakes, s.Connections.Handshakes)
			require.EqualValues(t, up.conns.Load(), s.Connections.Opened)
			require.Equal(t, s.Connections.Opened, s.Connect.Count)
			require.Equal(t, handshakes, s.Handshake.Count)
			require.EqualValues(t, requests, s.FirstByte.Count)
			require.GreaterOrEqual(t, s.FirstByte.Total, s.FirstByte.Max)
			require.NotZero(t, s.FirstByte.Max)
			require.Len(t, events.of(transport.EventConnected), int(s.Connections.Opened))
		})
	}
}

func TestHandshakesInATunnelAreCounted(t *testing.T) {
	up := serve(t, http1TLS, text("ok"))
	proxyURL, _ := connectProxy(t, up.Listener.Addr().String())
	tr := newTransport(t, transport.DefaultConfig(), transport.WithProxy(http.ProxyURL(proxyURL)), trusts(up))
	for range 3 {
		_, _, err := get(t.Context(), tr, "https://example.com/")
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, tr.Stats().Connections.Handshakes)
	require.EqualValues(t, 1, tr.Stats().Connections.Opened)
}

func TestEventsTellTheTimeInEachPhaseAndWhatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events recorder
		dns := &families{takes: map[string]time.Duration{"ip4": 100 * time.Millisecond, "ip6": 100 * time.Millisecond}}
		dns.addrs = map[string][]netip.Addr{"ip4": addrs("10.0.0.1", "10.0.0.2")}
		w := &wire{slow: 50 * time.Millisecond, refuse: set("10.0.0.1:80", "10.0.0.1:81", "10.0.0.2:81")}
		tr, err := transport.New(transport.DefaultConfig(), transport.WithResolver(dns), transport.WithDial(w.dial),
			transport.WithProxy(nil), transport.WithEvents(events.add))
		require.NoError(t, err)
		defer tr.Close()
		_, _, err = get(t.Context(), tr, "http://a.test")
		require.NoError(t, err)
		connected := events.of(transport.EventConnected)
		require.Len(t, connected, 1)
		require.Equal(t, 100*time.Millisecond, connected[0].Resolve)
		require.Equal(t, 50*time.Millisecond, connected[0].Connect)
		require.Equal(t, transport.PhaseStats{Count: 1, Total: 100 * time.Millisecond, Max: 100 * time.Millisecond}, tr.Stats().DNS.Took)
		require.Equal(t, "a.test:80", connected[0].Host)
		require.False(t, connected[0].Warmed)

		require.Error(t, tr.Warm(t.Context(), "http://a.test:81", 1))
		failed := events.of(transport.EventFailed)
		require.Len(t, failed, 1)
		require.True(t, failed[0].Warmed)
		var terr *transport.Error
		require.ErrorAs(t, failed[0].Err, &terr)
		require.Equal(t, transport.PhaseConnect, terr.Phase)
		require.EqualValues(t, 1, tr.Stats().Connections.Failed)
		require.Equal(t, transport.PhaseStats{Count: 1, Total: 50 * time.Millisecond, Max: 50 * time.Millisecond}, tr.Stats().Connect)
	})
}

func TestFailedLookupsAndStaleAnswersAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, false, nil, "10.0.0.1")
		defer r.stop(t)
		r.ask(t)
		r.dns.set(errDNS, "a.test")
		time.Sleep(2 * time.Minute)
		r.ask(t)
		failed := r.events.of(transport.EventLookupFailed)
		require.NotEmpty(t, failed)
		require.Equal(t, "a.test", failed[0].Host)
		require.ErrorIs(t, failed[0].Err, errDNS)
		s := r.Stats().DNS
		require.EqualValues(t, len(failed), s.Failures)
		require.EqualValues(t, len(failed)+1, s.Lookups)
		require.EqualValues(t, 1, s.Stale)
	})
}

func BenchmarkOverNetHTTP(b *testing.B) {
	up := newServer(http1, text("ok"))
	up.Start()
	defer up.Close()
	tr, err := transport.New(transport.DefaultConfig())
	require.NoError(b, err)
	defer tr.Close()
	plain := &http.Transport{}
	defer plain.CloseIdleConnections()
	for name, rt := range map[string]http.RoundTripper{"transport": tr, "net_http": plain} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := get(b.Context(), rt, up.URL); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
