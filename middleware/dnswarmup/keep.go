package dnswarmup

import (
	"context"
	"slices"
	"time"
)

// keep looks at the hosts again and again, until the stage is stopped.
func (w *Warmup) keep(l *life) {
	for {
		var tick <-chan time.Time
		if every := w.settings.Load().KeepEvery; every > 0 {
			tick = time.After(every)
		}
		select {
		case <-tick:
		case <-w.wake:
		case <-w.retimed:
			continue
		case <-l.ctx.Done():
			return
		}
		w.look(l.ctx)
	}
}

// look warms what is not warm any more, and what was learned. Only changes are
// events, and no failure is more than that.
func (w *Warmup) look(ctx context.Context) {
	cfg := w.settings.Load()
	if cfg.KeepEvery == 0 {
		return
	}
	hosts := slices.Concat(cfg.Hosts, others(cfg.Hosts, w.learned.inUse(time.Now(), cfg.ForgetAfter)))
	w.forget(hosts)
	_ = w.warm(ctx, cfg, hosts, true)
}

// forget drops the results of hosts that are not warmed any more.
func (w *Warmup) forget(hosts []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for host := range w.hosts {
		if !slices.Contains(hosts, host) {
			delete(w.hosts, host)
		}
	}
}
