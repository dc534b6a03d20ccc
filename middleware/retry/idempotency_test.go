package retry_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/retry"
)

func withKeys(c *retry.Config) { c.IdempotencyKey = true }

// keysOf sends a request through a stage and gives the key of each attempt.
func keysOf(t *testing.T, change func(*retry.Config), req *http.Request, answers ...any) []string {
	t.Helper()
	var keys []string
	up := &script{answers: answers}
	rt := newStage(t, exact(change)).Wrap(roundTripper(func(req *http.Request) (*http.Response, error) {
		keys = append(keys, strings.Join(req.Header["Idempotency-Key"], ","))
		return up.RoundTrip(req)
	}))
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	require.Same(t, req, resp.Request)
	return keys
}

// Requirement 27: with a key, the same one for all attempts, a POST can be repeated.
func TestIdempotencyKeyStaysTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[string]bool{}
		for range 50 {
			req, _ := http.NewRequest("POST", "http://a/", strings.NewReader("prompt"))
			keys := keysOf(t, withKeys, req, 500, errReset, 200)
			require.Len(t, keys, 3)
			require.Regexp(t, `^[A-Z2-7]{26}$`, keys[0])
			require.Equal(t, []string{keys[0], keys[0], keys[0]}, keys)
			require.NotContains(t, seen, keys[0], "each call has its own")
			seen[keys[0]] = true
			require.Empty(t, req.Header, "requirement 6: the caller's request is as it was")
		}
	})
}

func TestIdempotencyKeyIsAddedOnlyWhereItIsNeeded(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*retry.Config)
		method string
		header http.Header
		key    string // of the first attempt; "new" for a new one
	}{
		"POST":                         {withKeys, "POST", http.Header{}, "new"},
		"PATCH, no header at all":      {withKeys, "PATCH", nil, "new"},
		"switched off":                 {nil, "POST", http.Header{}, ""},
		"GET":                          {withKeys, "GET", http.Header{}, ""},
		"PUT":                          {withKeys, "PUT", http.Header{}, ""},
		"the caller's own":             {withKeys, "POST", http.Header{"Idempotency-Key": {"mine"}}, "mine"},
		"the caller's own, other name": {withKeys, "POST", http.Header{"X-Idempotency-Key": {"mine"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				req, _ := http.NewRequest(c.method, "http://a/", nil)
				req.Header = c.header
				keys := keysOf(t, c.change, req, 200)
				if c.key == "new" {
					require.Len(t, keys[0], 26)
					return
				}
				require.Equal(t, c.key, keys[0])
			})
		})
	}
}
