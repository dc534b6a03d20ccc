package middleware_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

func TestClassifyEveryStatus(t *testing.T) {
	special := map[int]middleware.Outcome{
		402: {Verdict: middleware.Exhausted, Processing: middleware.Processed},
		408: {Verdict: middleware.Failure, Processing: middleware.Unprocessed},
		421: {Verdict: middleware.Failure, Processing: middleware.Unprocessed},
		425: {Verdict: middleware.Failure, Processing: middleware.Unprocessed},
		429: {Verdict: middleware.Pushback, Processing: middleware.Unprocessed},
		501: {Verdict: middleware.Invalid, Processing: middleware.Processed},
		503: {Verdict: middleware.Busy, Processing: middleware.Unprocessed},
		505: {Verdict: middleware.Invalid, Processing: middleware.Processed},
		520: {Verdict: middleware.Busy, Processing: middleware.MaybeProcessed},
		521: {Verdict: middleware.Busy, Processing: middleware.Unprocessed},
		522: {Verdict: middleware.Busy, Processing: middleware.Unprocessed},
		523: {Verdict: middleware.Busy, Processing: middleware.Unprocessed},
		524: {Verdict: middleware.Busy, Processing: middleware.MaybeProcessed},
		529: {Verdict: middleware.Busy, Processing: middleware.Unprocessed},
	}
	for status := 100; status < 1000; status++ {
		want, ok := special[status]
		if !ok {
			switch {
			case status < 400:
				want = middleware.Outcome{Verdict: middleware.Success, Processing: middleware.Processed}
			case status < 500:
				want = middleware.Outcome{Verdict: middleware.Invalid, Processing: middleware.Processed}
			default:
				want = middleware.Outcome{Verdict: middleware.Failure, Processing: middleware.MaybeProcessed}
			}
		}
		want.Status = status
		got := middleware.Classify(&http.Response{StatusCode: status}, nil)
		require.Equal(t, want, got, status)
		healthy := want.Verdict == middleware.Success || want.Verdict == middleware.Invalid
		require.Equal(t, healthy, got.Verdict.Healthy(), status)
	}
}

func TestClassifyReadsTheHintOfARefusal(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		header string
		want   time.Duration
		hinted bool
	}{
		{"of a 429", 429, "2", 2 * time.Second, true},
		{"of a 503", 503, "0.5", 500 * time.Millisecond, true},
		{"of a 500", 500, "7", 7 * time.Second, true},
		{"that says at once", 503, "0", 0, true},
		{"that cannot be read", 503, "soon", 0, false},
		{"not of a success", 200, "2", 0, false},
		{"not of a redirect", 301, "2", 0, false},
		{"not of a wrong request", 404, "2", 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := middleware.Classify(&http.Response{StatusCode: tt.status, Header: http.Header{"Retry-After": {tt.header}}}, nil)
			require.Equal(t, tt.want, o.RetryAfter)
			require.Equal(t, tt.hinted, o.Hinted)
		})
	}
}

func TestClassifyErrors(t *testing.T) {
	refused := dialError(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	rejected := &middleware.RejectedError{Stage: "gate", RetryAfter: time.Second}
	for _, tt := range []struct {
		name string
		err  error
		want middleware.Outcome
	}{
		{"neither a response nor an error", nil, middleware.Outcome{Verdict: middleware.Failure}},
		{"a connection that is refused", refused,
			middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonDial, Processing: middleware.NeverSent}},
		{"the same within a url.Error", &url.Error{Op: "Get", URL: "http://a", Err: refused},
			middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonDial, Processing: middleware.NeverSent}},
		{"a proxy that cannot be reached", &net.OpError{Op: "proxyconnect", Err: errBroken},
			middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonDial, Processing: middleware.NeverSent}},
		{"a name that does not exist", &net.DNSError{Err: "no such host", Name: "upstream.invalid", IsNotFound: true},
			middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonDial, Processing: middleware.NeverSent}},
		{"a name server that is slow", dialError(&net.DNSError{Err: "i/o timeout", Name: "upstream.test", IsTimeout: true}),
			middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonDial, Processing: middleware.NeverSent}},
		{"a connection that breaks in use", &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)},
			middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonConnection}},
		{"a connection that ends before the headers", io.EOF,
			middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonConnection}},
		{"an expired certificate", x509.CertificateInvalidError{Reason: x509.Expired},
			middleware.Outcome{Verdict: middleware.Invalid, Reason: middleware.ReasonCertificate, Processing: middleware.NeverSent}},
		{"a certificate for another host", x509.HostnameError{Host: "a", Certificate: &x509.Certificate{}},
			middleware.Outcome{Verdict: middleware.Invalid, Reason: middleware.ReasonCertificate, Processing: middleware.NeverSent}},
		{"an authority that nobody knows", fmt.Errorf("tls: %w", x509.UnknownAuthorityError{}),
			middleware.Outcome{Verdict: middleware.Invalid, Reason: middleware.ReasonCertificate, Processing: middleware.NeverSent}},
		{"a refusal of a stage", rejected,
			middleware.Outcome{Verdict: middleware.Neutral, Reason: middleware.ReasonRejected, Processing: middleware.NeverSent, RetryAfter: time.Second, Hinted: true}},
		{"a refusal without a time", fmt.Errorf("outer: %w", &middleware.RejectedError{Cause: context.DeadlineExceeded}),
			middleware.Outcome{Verdict: middleware.Neutral, Reason: middleware.ReasonRejected, Processing: middleware.NeverSent}},
		{"a refusal of one's own type", fmt.Errorf("mine: %w", middleware.ErrRejected),
			middleware.Outcome{Verdict: middleware.Neutral, Reason: middleware.ReasonRejected, Processing: middleware.NeverSent}},
		{"a deadline", fmt.Errorf("waiting: %w", context.DeadlineExceeded),
			middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonTimeout}},
		{"a cancel", fmt.Errorf("waiting: %w", context.Canceled),
			middleware.Outcome{Verdict: middleware.Neutral, Reason: middleware.ReasonCanceled}},
		{"anything else", errors.New("?"),
			middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonConnection}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, middleware.Classify(nil, tt.err))
		})
	}
}

func TestTheNamesOfVerdictsAndStates(t *testing.T) {
	verdicts := map[middleware.Verdict]string{
		0: "none", middleware.Success: "success", middleware.Invalid: "invalid", middleware.Exhausted: "exhausted",
		middleware.Pushback: "pushback", middleware.Busy: "busy", middleware.Failure: "failure", middleware.Neutral: "neutral",
		middleware.Neutral + 1: "unknown", 255: "unknown",
	}
	for v, want := range verdicts {
		require.Equal(t, want, v.String())
	}
	states := map[middleware.Processing]string{
		middleware.MaybeProcessed: "maybe processed", middleware.NeverSent: "never sent",
		middleware.Unprocessed: "unprocessed", middleware.Processed: "processed", 255: "unknown",
	}
	for p, want := range states {
		require.Equal(t, want, p.String())
	}
}
