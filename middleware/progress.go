package middleware

import "io"

// ProgressWatcher follows how a response's body gets on, for a stage that
// bounds its silences. While no Read is on, it is the caller who takes its
// time, and not the upstream.
type ProgressWatcher interface {
	// ReadBegins says that from now on the caller waits for the upstream.
	ReadBegins()
	// Progress says that content has come. It may be called at any time, also
	// before there is a response, and by any goroutine.
	Progress()
	// ReadEnds says that a Read is over, and whether that alone is progress: it
	// gave bytes, and no provider stage reports.
	ReadEnds(progress bool)
}

// watcher is one of those of an exchange, of progress or of usage. Nearly every
// call has none.
type watcher struct {
	progress ProgressWatcher
	usage    UsageWatcher
	next     *watcher
}

// watchers gives the first of those of the exchange.
func (e *Exchange) watchers() *watcher {
	if m := e.more.Load(); m != nil {
		return m.watchers
	}
	return nil
}

// OnProgress has w told of the progress of this exchange, and of the attempts
// within it. Call it before the request is passed on, and OnEnd as well: a body
// whose end is of no interest to anybody is not followed.
func (e *Exchange) OnProgress(w ProgressWatcher) {
	m := e.extra()
	m.watchers = &watcher{progress: w, next: m.watchers}
}

// ReportsProgress is called by a provider stage, before its RoundTrip returns,
// if it knows content from keep-alive lines and will call Progress. Without it,
// each Read that gives bytes is progress.
func (e *Exchange) ReportsProgress() {
	for x := e; x != nil; x = x.up {
		x.flags.set(reported)
	}
}

// Progress says that content has come from the upstream. A provider stage that
// reads ahead calls it as soon as it has seen the content, even if the caller
// is given it later. It is safe for concurrent use and costs next to nothing
// where nobody watches.
func (e *Exchange) Progress() {
	if e.flags.has(ended) {
		return // an attempt that was given up
	}
	for x := e; x != nil; x = x.up {
		for w := x.watchers(); w != nil; w = w.next {
			if w.progress != nil {
				w.progress.Progress()
			}
		}
	}
}

// read reads from the body, and tells those who watch.
func (e *Exchange) read(rc io.Reader, p []byte) (int, error) {
	if e.flags.has(ended) || !e.isWatched() {
		return rc.Read(p)
	}
	for x := e; x != nil; x = x.up {
		for w := x.watchers(); w != nil; w = w.next {
			if w.progress != nil {
				w.progress.ReadBegins()
			}
		}
	}
	n, err := rc.Read(p)
	for x := e; x != nil; x = x.up {
		progress := n > 0 && !e.flags.has(reported)
		for w := x.watchers(); w != nil; w = w.next {
			if w.progress != nil {
				w.progress.ReadEnds(progress)
			}
		}
	}
	return n, err
}

func (e *Exchange) isWatched() bool {
	for x := e; x != nil; x = x.up {
		for w := x.watchers(); w != nil; w = w.next {
			if w.progress != nil {
				return true
			}
		}
	}
	return false
}
