package semaphore_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/semaphore"
)

func TestWithKeyChoosesWhoSharesPermits(t *testing.T) {
	s, err := semaphore.New(semaphore.DefaultConfig(), semaphore.WithKey(func(req *http.Request) string { return req.URL.Path }))
	require.NoError(t, err)
	rt := s.Wrap(middleware.RoundTripperFunc(with(200, "ok")))
	for _, url := range []string{"http://a/one", "http://b/one", "http://a/two"} {
		require.NoError(t, get(t.Context(), rt, url))
	}
	admitted := map[string]uint64{}
	for _, k := range s.Stats() {
		admitted[k.Key] = k.Admitted
	}
	require.Equal(t, map[string]uint64{"/one": 2, "/two": 1}, admitted)
}
