package httpcache_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/httpcache"
)

// An answer without a body is over when its header is there. It is stored, and
// reading the body that it does not have gives its end to all who share it.
func TestAnswersWithoutABody(t *testing.T) {
	for name, make := range map[string]func() *http.Response{
		"a 204": func() *http.Response { return respond(204, "", "Cache-Control", "max-age=60") },
		"a 204 as net/http gives it": func() *http.Response {
			resp := respond(204, "", "Cache-Control", "max-age=60")
			resp.Body = http.NoBody
			return resp
		},
		"an empty 200": func() *http.Response {
			resp := respond(200, "", "Cache-Control", "max-age=60")
			resp.Body = http.NoBody
			return resp
		},
	} {
		for _, coalesce := range []bool{true, false} {
			bubble(t, name, func(t *testing.T) {
				up := slow(make)
				c := newClient(t, up, func(c *httpcache.Config) { c.Coalesce = coalesce })
				first, second := c.launch(t.Context()), c.launch(t.Context())
				for _, call := range []<-chan outcome{first, second} {
					o := <-call
					require.NoError(t, o.err)
					require.Empty(t, o.body)
				}
				n := up.count()
				require.Equal(t, "headgate; hit; ttl=59", c.get().cached)
				require.Equal(t, n, up.count())
			})
		}
	}
}
