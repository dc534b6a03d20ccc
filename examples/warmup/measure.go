package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/headgate-go/headgate/pipeline"
)

// Result is what was measured of one client over one protocol.
type Result struct {
	Client      string        `json:"client"`
	Protocol    string        `json:"protocol"`
	Requests    int           `json:"requests"`
	Handshakes  int64         `json:"handshakes"`
	PerThousand float64       `json:"handshakes_per_1000_requests"`
	First       time.Duration `json:"first_request"` // to the first byte, the median of several clients
	Warm        time.Duration `json:"warm_request"`  // the same of requests that follow

	Report []pipeline.StageReport `json:"report,omitempty"` // after the load
}

// measure counts the handshakes that the callers need, and then measures first requests.
func measure(ctx context.Context, m maker, http2 bool, requests, callers, firsts int) (Result, error) {
	u := newUpstream(slow(), http2)
	defer u.srv.Close()
	r := Result{Client: m.name, Protocol: "HTTP/1.1", Requests: requests}
	if http2 {
		r.Protocol = "HTTP/2"
	}
	var err error
	if r.Report, err = count(ctx, m, u, requests, callers); err != nil {
		return r, err
	}
	r.Handshakes = u.handshakes.Load()
	r.PerThousand = float64(r.Handshakes) * 1000 / float64(requests)

	var first, warm []time.Duration
	for range firsts {
		f, w, err := single(ctx, m, u)
		if err != nil {
			return r, err
		}
		first, warm = append(first, f), append(warm, w)
	}
	slices.Sort(first)
	slices.Sort(warm)
	r.First, r.Warm = first[len(first)/2], warm[len(warm)/2]
	return r, nil
}

// count has the upstream count the handshakes of one client.
func count(ctx context.Context, m maker, u *upstream, requests, callers int) ([]pipeline.StageReport, error) {
	c, err := m.make(ctx, u, callers)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	if err := load(ctx, c.Client, u.url(), requests, callers); err != nil || c.report == nil {
		return nil, err
	}
	return c.report(), nil
}

// load sends the requests in waves: all callers at once, and again when the last of
// them has its answer.
func load(ctx context.Context, client *http.Client, url string, requests, callers int) error {
	for ; requests > 0; requests -= callers {
		errs := make([]error, min(callers, requests))
		var wave sync.WaitGroup
		for i := range errs {
			wave.Go(func() { _, errs[i] = get(ctx, client, url) })
		}
		wave.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	return nil
}

// single measures the first request of a fresh client, and its second.
func single(ctx context.Context, m maker, u *upstream) (first, second time.Duration, err error) {
	c, err := m.make(ctx, u, 1)
	if err != nil {
		return 0, 0, err
	}
	defer c.stop()
	if first, err = get(ctx, c.Client, u.url()); err != nil {
		return 0, 0, err
	}
	second, err = get(ctx, c.Client, u.url())
	return first, second, err
}

// get returns the time to the first byte.
func get(ctx context.Context, client *http.Client, url string) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	took := time.Since(begun)
	_, err = io.Copy(io.Discard, resp.Body)
	if closed := resp.Body.Close(); err == nil {
		err = closed
	}
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, resp.Status)
	}
	return took, err
}
