package dnswarmup

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/headgate-go/headgate/middleware"
)

// life is the time between Start and Stop.
type life struct {
	ctx     context.Context
	end     context.CancelFunc
	begun   chan struct{}  // closed when Start's warm-up is over
	err     error          // Start's, once begun is closed
	running sync.WaitGroup // what keeps warm, and what Update began; nothing is added once the stage was stopped or Start has failed
}

// failed tells whether Start was over in vain.
func (l *life) failed() bool {
	select {
	case <-l.begun:
		return l.err != nil
	default:
		return false
	}
}

// Start warms the hosts and returns when that is done or has failed, after
// timeout at the latest. Unless required is set, no host's failure makes it
// fail; otherwise the errors of all hosts are joined, each an *Error. After a
// failure it may be called again. From then on the hosts are kept warm.
func (w *Warmup) Start(ctx context.Context) error {
	l := &life{begun: make(chan struct{})}
	l.ctx, l.end = context.WithCancel(context.Background())
	w.mu.Lock()
	if w.life != nil && !w.life.failed() {
		w.mu.Unlock()
		l.end()
		return ErrStarted
	}
	w.life = l
	cfg := w.settings.Load() // with the lock, so that Update warms what this does not have
	w.mu.Unlock()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.ctx, cancel)()
	err := w.warm(ctx, cfg, cfg.Hosts, false)
	w.mu.Lock()
	if cfg.Required {
		l.err = err
	}
	if l.err == nil && w.warmer != nil {
		l.running.Go(func() { w.keep(l) })
	}
	close(l.begun)
	w.mu.Unlock()
	if l.err != nil {
		l.end()
		l.running.Wait()
	}
	return l.err
}

// Stop ends what is being warmed and waits for it; connections that are open
// stay so, for their transport to close. The error is that of ctx, if it ends first.
func (w *Warmup) Stop(ctx context.Context) error {
	w.mu.Lock()
	l := w.life
	w.life = nil
	w.mu.Unlock()
	if l == nil {
		return nil
	}
	l.end()
	over := make(chan struct{})
	go func() {
		<-l.begun
		l.running.Wait()
		close(over)
	}()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Ready waits until Start has warmed the hosts, and gives its error: nil once
// requests may come. Before Start, and after Stop, it is ErrNotStarted.
func (w *Warmup) Ready(ctx context.Context) error {
	w.mu.Lock()
	l := w.life
	w.mu.Unlock()
	if l == nil {
		return ErrNotStarted
	}
	select {
	case <-l.begun:
		return l.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Update changes the settings in use. Hosts that are new, or all if there are to
// be more connections, are warmed in the background if the stage is started;
// what fails then is an event only. An invalid configuration changes nothing.
// Learn stays as it was when the stage was made.
func (w *Warmup) Update(cfg Config) error {
	if err := middleware.Validate(w.reporter.Stage, cfg); err != nil {
		return err
	}
	if w.warmer == nil && !cfg.Optional {
		return fmt.Errorf("%s: %w", w.reporter.Stage, ErrNoWarmer)
	}
	now := copied(cfg)
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.settings.Swap(now)
	for _, host := range before.Hosts {
		if !slices.Contains(now.Hosts, host) {
			delete(w.hosts, host)
		}
	}
	if now.KeepEvery != before.KeepEvery {
		signal(w.retimed)
	}
	fresh := slices.DeleteFunc(slices.Clone(now.Hosts), func(host string) bool {
		return slices.Contains(before.Hosts, host) && now.Connections <= before.Connections
	})
	if l := w.life; l != nil && !l.failed() && len(fresh) > 0 {
		l.running.Go(func() { _ = w.warm(l.ctx, now, fresh, false) })
	}
	return nil
}
