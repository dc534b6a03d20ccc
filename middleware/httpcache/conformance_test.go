package httpcache_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

func newWrap(change func(*httpcache.Config)) func(testing.TB) middleware.Middleware {
	return func(tb testing.TB) middleware.Middleware {
		return newCache(tb, change).Wrap
	}
}

// The contract of every stage (resilience.md 2, 4 to 7, 10, 11, 23 and 33), on answers that are not stored.
func TestConformance(t *testing.T) {
	middlewaretest.Run(t, newWrap(func(*httpcache.Config) {}))
}

// The same on answers that are all stored as they pass.
func TestConformanceStoring(t *testing.T) {
	middlewaretest.Run(t, newWrap(func(*httpcache.Config) {}), middlewaretest.AnswerHeader("Cache-Control", "max-age=60"))
}

// The same without coalescing: the upstream is asked in the caller's own exchange.
func TestConformanceWithoutCoalescing(t *testing.T) {
	middlewaretest.Run(t, newWrap(func(c *httpcache.Config) { c.Coalesce = false }), middlewaretest.AnswerHeader("Cache-Control", "max-age=60"))
}

// The same with every POST answered by its content.
func TestConformanceByContent(t *testing.T) {
	middlewaretest.Run(t, newWrap(func(c *httpcache.Config) {
		c.Routes = []httpcache.Route{{Method: http.MethodPost, TTL: time.Minute}}
	}), middlewaretest.AnswerHeader("Cache-Control", "max-age=60"),
		middlewaretest.Without("request_streams", "the content is the key, so it is read before anything is sent"))
}
