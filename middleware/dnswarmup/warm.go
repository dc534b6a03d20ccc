package dnswarmup

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// result is how the last warm-up of a host ended.
type result struct {
	took time.Duration
	err  error
}

// warm warms the hosts, cfg.Parallel at a time, and waits for all. The errors
// stand in the order of the hosts. Quietly, only what changes is an event.
func (w *Warmup) warm(ctx context.Context, cfg *Config, hosts []string, quietly bool) error {
	if w.warmer == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	errs := make([]error, len(hosts))
	places := make(chan struct{}, cfg.Parallel)
	var all sync.WaitGroup
	for i, host := range hosts {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			errs[i] = w.one(ctx, cfg, host, quietly)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func (w *Warmup) one(ctx context.Context, cfg *Config, host string, quietly bool) error {
	start := time.Now()
	err := ctx.Err() // no time was left for those at the end of the list
	if err == nil {
		err = w.warmer.Warm(ctx, host, cfg.Connections)
	}
	if quietly && ctx.Err() == context.Canceled {
		return err // stopped, which is no failure
	}
	took := time.Since(start)
	event := middleware.Event{
		Kind: EventWarmed, Key: host, Wait: took, Attrs: []slog.Attr{slog.Int("connections", cfg.Connections)},
	}
	if err != nil {
		err = &Error{Stage: w.reporter.Stage, Host: host, Err: err}
		event.Kind, event.Level, event.Err = EventFailed, slog.LevelWarn, err
	}
	if changed := w.note(host, result{took, err}); changed || !quietly {
		w.reporter.Report(ctx, event)
	}
	return err
}

// note keeps a result, unless the host was taken out in the meantime, and reports
// whether the host was warm before and is not now, or the other way round.
func (w *Warmup) note(host string, r result) (changed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, known := w.hosts[host]
	if slices.Contains(w.settings.Load().Hosts, host) || slices.Contains(w.learned.all(), host) {
		w.hosts[host] = r
	}
	return !known || (before.err == nil) != (r.err == nil)
}

// HostStats is how the last warm-up of a host ended.
type HostStats struct {
	Host    string        `json:"host"`
	Learned bool          `json:"learned,omitempty"` // of requests, not configured
	Warm    bool          `json:"warm"`
	Took    time.Duration `json:"took"`            // 0 before its first warm-up
	Error   string        `json:"error,omitempty"` // why it is not warm; empty before its first warm-up
}

// Stats is a snapshot of the configured hosts, in their order, then of the
// learned ones.
func (w *Warmup) Stats() []HostStats {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []HostStats
	configured := w.settings.Load().Hosts
	for i, host := range slices.Concat(configured, others(configured, w.learned.all())) {
		s := HostStats{Host: host, Learned: i >= len(configured)}
		if r, tried := w.hosts[host]; tried {
			s.Took, s.Warm = r.took, r.err == nil
			if r.err != nil {
				s.Error = r.err.Error()
			}
		}
		all = append(all, s)
	}
	return all
}
