package middleware

import "context"

// Warmer opens connections before they are needed. A pipeline's base can be
// one; the dns_warmup stage uses it.
type Warmer interface {
	// Warm resolves host (a name, name:port, or an URL's scheme://name:port)
	// and opens that many connections to it, or as many as one request at a
	// time can use. It returns when they are ready, or with why they are not.
	Warm(ctx context.Context, host string, connections int) error
}
