package middleware

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"
)

// Classify is the generic classification of an answer, for an upstream of
// which nothing is known but HTTP (RFC 9110, section 15).
func Classify(resp *http.Response, err error) Outcome {
	if resp == nil {
		return classifyError(err)
	}
	o := Outcome{Status: resp.StatusCode, Processing: Processed, Advice: advice(resp.Header)}
	switch status := resp.StatusCode; {
	case status < 400:
		o.Verdict = Success
		return o
	case status == http.StatusPaymentRequired:
		o.Verdict = Exhausted
	case status == http.StatusTooManyRequests:
		o.Verdict, o.Processing = Pushback, Unprocessed
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusMisdirectedRequest:
		// The server gave up before it had the request, or would not begin.
		o.Verdict, o.Processing = Failure, Unprocessed
	case status < 500, status == http.StatusNotImplemented, status == http.StatusHTTPVersionNotSupported:
		o.Verdict = Invalid
		if o.Advice != Repeat {
			return o
		}
	case status == http.StatusServiceUnavailable, status == 529, status >= 521 && status <= 523:
		// 521 to 523 are a CDN's word that the origin was not reached.
		o.Verdict, o.Processing = Busy, Unprocessed
	case status == 520, status == 524:
		o.Verdict, o.Processing = Busy, MaybeProcessed
	default:
		o.Verdict, o.Processing = Failure, MaybeProcessed
	}
	o.RetryAfter, o.Hinted = RetryAfter(resp.Header)
	return o
}

// advice reads X-Should-Retry, which APIs send to their SDKs.
func advice(h http.Header) Advice {
	if v := h["X-Should-Retry"]; len(v) > 0 {
		switch strings.ToLower(strings.TrimSpace(v[0])) {
		case "true":
			return Repeat
		case "false":
			return DontRepeat
		}
	}
	return NoAdvice
}

func classifyError(err error) Outcome {
	var rejected *RejectedError
	var op *net.OpError
	var dns *net.DNSError
	var stream h2StreamError
	switch {
	case err == nil:
		return Outcome{Verdict: Failure}
	case errors.As(err, &rejected):
		return Outcome{
			Verdict: Neutral, Reason: ReasonRejected, Processing: NeverSent,
			RetryAfter: rejected.RetryAfter, Hinted: rejected.RetryAfter > 0,
		}
	case errors.Is(err, ErrRejected):
		return Outcome{Verdict: Neutral, Reason: ReasonRejected, Processing: NeverSent}
	case untrusted(err):
		return Outcome{Verdict: Invalid, Reason: ReasonCertificate, Processing: NeverSent}
	case unsendable(err):
		return Outcome{Verdict: Invalid, Reason: ReasonRequest, Processing: NeverSent}
	case errors.As(err, &dns),
		errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect"),
		strings.HasSuffix(err.Error(), "TLS handshake timeout"):
		return Outcome{Verdict: Failure, Reason: ReasonDial, Processing: NeverSent}
	case errors.As(err, &op) && refusedByPeer(op):
		return Outcome{Verdict: Invalid, Reason: ReasonCertificate, Processing: Unprocessed}
	case errors.As(err, &stream) && stream.Code == h2RefusedStream, unrepeated(err, "REFUSED_STREAM"):
		return Outcome{Verdict: Busy, Reason: ReasonConnection, Processing: Unprocessed}
	case unrepeated(err, "GOAWAY"):
		return Outcome{Verdict: Failure, Reason: ReasonConnection, Processing: Unprocessed}
	case errors.Is(err, context.DeadlineExceeded):
		return Outcome{Verdict: Failure, Reason: ReasonTimeout}
	case errors.Is(err, context.Canceled):
		return Outcome{Verdict: Neutral, Reason: ReasonCanceled}
	default:
		return Outcome{Verdict: Failure, Reason: ReasonConnection}
	}
}

// untrusted tells whether TLS refused the peer: trying again changes nothing.
func untrusted(err error) bool {
	var verify *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &verify) || errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid)
}

// refusedByPeer tells whether the peer refused our side of the TLS handshake,
// for want of a certificate as a rule. crypto/tls does not export its alerts.
func refusedByPeer(op *net.OpError) bool {
	if op.Op != "remote error" || op.Err == nil {
		return false
	}
	alert := op.Err.Error()
	return strings.Contains(alert, "certificate") || alert == "tls: handshake failure"
}

// unsendable tells whether net/http would not even try. It has no typed errors for that.
func unsendable(err error) bool {
	text := err.Error()
	for _, prefix := range []string{
		"unsupported protocol scheme",
		"http: no Host in request URL",
		"http: nil Request.",
		"net/http: invalid header field",
		"net/http: invalid trailer field",
		"net/http: invalid method",
	} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

// h2StreamError has the fields of net/http's own HTTP/2 stream error, whose As
// method fills in any struct that has them.
type h2StreamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (h2StreamError) Error() string { return "stream error" }

// h2RefusedStream is REFUSED_STREAM: nothing was processed (RFC 9113, section 8.7).
const h2RefusedStream = 0x7

// unrepeated tells whether net/http would have repeated the request itself, and
// could not for want of GetBody, after a refused stream or a GOAWAY that did not
// count the stream as begun (RFC 9113, section 6.8). Only the error's text says so.
func unrepeated(err error, after string) bool {
	text := err.Error()
	return strings.HasPrefix(text, "http2: Transport: cannot retry err [") && strings.Contains(text, after)
}
