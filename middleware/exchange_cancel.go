package middleware

// Cancel gives the exchange up, with every attempt within it: its context ends
// with context.Canceled. Whatever is settled by that is Neutral, because it was
// a stage that lost interest and not the upstream that failed. A response whose
// body is open is settled at once; its body has still to be closed. It has no
// effect once the context has ended, and is safe for concurrent use.
func (e *Exchange) Cancel() {
	c := e.call
	c.mu.Lock()
	ends := c.cancelBelow(e, givenUp, nil)
	c.mu.Unlock()
	ends.run()
}
