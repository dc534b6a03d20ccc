package transport_test

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/headgate-go/headgate/transport"
)

// dnsServer is a DNS server on loopback. It answers A and AAAA for the names it is
// told, late, not at all, or with a failure if so told.
type dnsServer struct {
	addr string
	conn net.PacketConn

	mu      sync.Mutex
	records map[string][]netip.Addr
	down    bool                              // every answer is SERVFAIL
	silent  map[dnsmessage.Type]bool          // no answer to these
	delay   map[dnsmessage.Type]time.Duration // late ones
	asked   map[dnsmessage.Type]int
	running sync.WaitGroup
}

func startDNS(t *testing.T) *dnsServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &dnsServer{
		addr: conn.LocalAddr().String(), conn: conn, records: map[string][]netip.Addr{},
		silent: map[dnsmessage.Type]bool{}, delay: map[dnsmessage.Type]time.Duration{}, asked: map[dnsmessage.Type]int{},
	}
	s.running.Go(s.serve)
	t.Cleanup(func() {
		conn.Close()
		s.running.Wait()
	})
	return s
}

func (s *dnsServer) set(name string, addrs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []netip.Addr
	for _, a := range addrs {
		list = append(list, netip.MustParseAddr(a))
	}
	s.records[name] = list
}

func (s *dnsServer) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *dnsServer) count(typ dnsmessage.Type) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[typ]
}

func (s *dnsServer) serve() {
	buf := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		var query dnsmessage.Message
		if query.Unpack(buf[:n]) != nil || len(query.Questions) != 1 {
			continue
		}
		answer, delay, ok := s.answer(query)
		if !ok {
			continue
		}
		s.running.Go(func() {
			time.Sleep(delay)
			_, _ = s.conn.WriteTo(answer, from) // fails only once the server is closed
		})
	}
}

func (s *dnsServer) answer(query dnsmessage.Message) (packed []byte, delay time.Duration, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := query.Questions[0]
	s.asked[q.Type]++
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: query.ID, Response: true, RecursionAvailable: true},
		Questions: query.Questions,
	}
	addrs, known := s.records[strings.TrimSuffix(q.Name.String(), ".")]
	switch {
	case s.down:
		reply.RCode = dnsmessage.RCodeServerFailure
	case !known:
		reply.RCode = dnsmessage.RCodeNameError
	}
	for _, a := range addrs {
		head := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, Type: q.Type, TTL: 60}
		switch {
		case reply.RCode != 0:
		case q.Type == dnsmessage.TypeA && a.Is4():
			reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: a.As4()}})
		case q.Type == dnsmessage.TypeAAAA && a.Is6():
			reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	packed, err := reply.Pack()
	return packed, s.delay[q.Type], err == nil && !s.silent[q.Type]
}

// asks is a configuration that asks the server, and quickly again.
func (s *dnsServer) asks(ttl time.Duration) transport.Config {
	cfg := transport.DefaultConfig()
	cfg.Resolver.Server = s.addr
	cfg.Resolver.TTL = ttl
	cfg.Proxy = "none"
	return cfg
}
