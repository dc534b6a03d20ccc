package dnswarmup_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/dnswarmup"
)

// What a request pays for a host that is known already.
func BenchmarkLearning(b *testing.B) {
	w, err := dnswarmup.New(learning(), dnswarmup.WithWarmer(&fake{}))
	require.NoError(b, err)
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "https://api.example.com/v1", nil)
	require.NoError(b, err)
	for name, rt := range map[string]http.RoundTripper{"base": answers, "learning": w.Wrap(answers)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = rt.RoundTrip(req)
			}
		})
	}
}
