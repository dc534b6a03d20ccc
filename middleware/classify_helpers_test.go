package middleware_test

import (
	"io"
	"log"
	"net"
)

var quiet = log.New(io.Discard, "", 0)

func dialError(err error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, Err: err}
}
