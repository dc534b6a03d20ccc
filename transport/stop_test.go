package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/transport"
)

func TestNewStartsNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	_, err := transport.New(transport.DefaultConfig())
	require.NoError(t, err)
	goleak.VerifyNone(t, before)
}

func TestStopLeavesNoConnectionAndNoGoroutine(t *testing.T) {
	for _, p := range []protocol{http1, http1TLS, http2} {
		t.Run(string(p), func(t *testing.T) {
			up := serve(t, p, text("ok"))
			before := goleak.IgnoreCurrent()
			tr := newTransport(t, transport.DefaultConfig(), trusts(up))
			require.NoError(t, tr.Warm(t.Context(), up.URL, 3))
			_, _, err := get(t.Context(), tr, up.URL)
			require.NoError(t, err)
			require.NoError(t, tr.Stop(t.Context()))
			require.NoError(t, tr.Stop(t.Context()), "twice")
			up.Server.Close() // returns when the last connection has ended
			goleak.VerifyNone(t, before)
		})
	}
}

func TestStopLetsRequestsFinish(t *testing.T) {
	for _, p := range []protocol{http1, http2} {
		t.Run(string(p), func(t *testing.T) {
			arrived, finish := make(chan struct{}), make(chan struct{})
			up := serve(t, p, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				close(arrived)
				<-finish
				io.WriteString(w, "finished")
			}))
			tr := newTransport(t, transport.DefaultConfig(), trusts(up))
			got := make(chan string, 1)
			go func() {
				body, _, err := get(context.Background(), tr, up.URL)
				got <- body
				if err != nil {
					t.Error(err)
				}
			}()
			<-arrived
			stopped := make(chan error, 1)
			go func() { stopped <- tr.Stop(context.Background()) }()
			require.Eventually(t, func() bool {
				return errors.Is(tr.Warm(t.Context(), up.URL, 0), transport.ErrClosed)
			}, 5*time.Second, time.Millisecond)
			_, _, err := get(t.Context(), tr, up.URL)
			require.ErrorIs(t, err, transport.ErrClosed, "new requests are refused")
			select {
			case err := <-stopped:
				t.Fatalf("stopped with a request in progress: %v", err)
			case <-time.After(50 * time.Millisecond):
			}
			close(finish)
			require.Equal(t, "finished", <-got)
			require.NoError(t, <-stopped)
		})
	}
}

func TestStopCutsWhatOutlivesItsContextAndCloseCutsAtOnce(t *testing.T) {
	for name, stop := range map[string]func(*testing.T, *transport.Transport){
		"Stop": func(t *testing.T, tr *transport.Transport) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			err := tr.Stop(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorContains(t, err, "1 connections were in use")
		},
		"Close": func(t *testing.T, tr *transport.Transport) { require.NoError(t, tr.Close()) },
	} {
		t.Run(name, func(t *testing.T) {
			arrived := make(chan struct{})
			up := serve(t, http1, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				close(arrived)
				<-r.Context().Done()
			}))
			tr := newTransport(t, transport.DefaultConfig())
			failed := make(chan error, 1)
			go func() {
				_, _, err := get(context.Background(), tr, up.URL)
				failed <- err
			}()
			<-arrived
			stop(t, tr)
			require.Error(t, <-failed)
		})
	}
}

func TestStopEndsDialsLookupsAndWarming(t *testing.T) {
	for name, opt := range map[string]func() transport.Option{
		"a dial": func() transport.Option {
			return transport.WithDial((&wire{silent: set("10.0.0.1:80", "10.0.0.2:80")}).dial)
		},
		"a lookup": func() transport.Option {
			return transport.WithResolver(&fakeDNS{gate: make(chan struct{})})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dns := new(fakeDNS)
				dns.set(nil, "a.test", "10.0.0.1", "10.0.0.2")
				tr, err := transport.New(transport.DefaultConfig(), transport.WithProxy(nil), transport.WithResolver(dns), opt())
				require.NoError(t, err)
				errs := make(chan error, 2)
				go func() { errs <- tr.Warm(context.Background(), "http://a.test", 2) }()
				go func() {
					_, _, err := get(context.Background(), tr, "http://a.test")
					errs <- err
				}()
				synctest.Wait()
				begin := time.Now()
				require.NoError(t, tr.Close())
				require.Zero(t, time.Since(begin))
				require.ErrorIs(t, <-errs, transport.ErrClosed)
				require.ErrorIs(t, <-errs, transport.ErrClosed)
			})
		})
	}
}

func TestClosedTransportRefusesAndClosesTheBody(t *testing.T) {
	tr := newTransport(t, transport.DefaultConfig())
	require.NoError(t, tr.Close())
	body := &closeRecorder{Reader: strings.NewReader("x")}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:1", body)
	require.NoError(t, err)
	_, err = tr.RoundTrip(req)
	require.ErrorIs(t, err, transport.ErrClosed)
	require.True(t, body.closed)
	require.ErrorIs(t, tr.Warm(t.Context(), "127.0.0.1:1", 1), transport.ErrClosed)
}

type closeRecorder struct {
	io.Reader
	closed bool
}

func (c *closeRecorder) Close() error {
	c.closed = true
	return nil
}

func TestCloseIdleConnectionsClosesSparesToo(t *testing.T) {
	up := serve(t, http1, text("ok"))
	tr := newTransport(t, transport.DefaultConfig())
	require.NoError(t, tr.Warm(t.Context(), up.URL, 2))
	tr.CloseIdleConnections()
	_, _, err := get(t.Context(), tr, up.URL)
	require.NoError(t, err)
	require.EqualValues(t, 3, up.conns.Load())
}
