package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// upstream answers every GET with a body of size bytes that is fresh for an hour. It is no server: what a connection
// costs is not the question.
type upstream struct {
	body     []byte
	service  time.Duration // before the header
	pause    time.Duration // before each half of the body
	requests atomic.Int64
}

func sized(size int) *upstream { return &upstream{body: bytes.Repeat([]byte("x"), size)} }

func (u *upstream) RoundTrip(req *http.Request) (*http.Response, error) {
	u.requests.Add(1)
	time.Sleep(u.service)
	header := http.Header{
		"Cache-Control":  {"max-age=3600"},
		"Content-Type":   {"application/json"},
		"Date":           {time.Now().UTC().Format(http.TimeFormat)},
		"Content-Length": {fmt.Sprint(len(u.body))},
	}
	return &http.Response{
		Status: "200 OK", StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, ContentLength: int64(len(u.body)), Request: req,
		Body: io.NopCloser(&halves{left: u.body, half: (len(u.body) + 1) / 2, pause: u.pause}),
	}, nil
}

// halves is a body that comes in two parts.
type halves struct {
	left  []byte
	half  int
	read  int
	pause time.Duration
}

func (h *halves) Read(p []byte) (int, error) {
	if len(h.left) == 0 {
		return 0, io.EOF
	}
	if h.read == 0 || h.read == h.half {
		time.Sleep(h.pause)
	}
	end := len(h.left)
	if h.read < h.half {
		end = h.half - h.read
	}
	n := copy(p, h.left[:end])
	h.left, h.read = h.left[n:], h.read+n
	return n, nil
}
