package transport

import (
	"context"
	"errors"
	"strings"
)

// ErrClosed is the error of every call after Stop or Close.
var ErrClosed = errors.New("transport: closed")

// Phase is a step on the way to a usable connection.
type Phase string

// The phases, in their order.
const (
	PhaseResolve   Phase = "resolve"   // the lookup of the name
	PhaseConnect   Phase = "connect"   // TCP
	PhaseHandshake Phase = "handshake" // TLS, and the HTTP/2 preface
)

// Error says at which step a connection to which host failed. No byte of a
// request has been sent when a dial ends in it. In it are the errors of the
// standard library: a [net.OpError] with Op "dial" for the first two phases, a
// [net.DNSError] in the first.
type Error struct {
	Host  string // host:port that was dialed: the proxy's if one is in the way
	Phase Phase
	Err   error
}

// Error implements error. Several addresses' errors stand on one line.
func (e *Error) Error() string {
	return "transport: " + string(e.Phase) + " " + e.Host + ": " + strings.ReplaceAll(e.Err.Error(), "\n", "; ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether time ran out, here or below.
func (e *Error) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.Is(e.Err, context.DeadlineExceeded) || errors.As(e.Err, &t) && t.Timeout()
}
