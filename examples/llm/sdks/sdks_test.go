package sdks_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/examples/llm/sdks"
	"github.com/headgate-go/headgate/middleware/middlewaretest/llmtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEverySDKReadsAReply(t *testing.T) {
	for _, sdk := range sdks.All() {
		t.Run(sdk.Name, func(t *testing.T) {
			api := llmtest.New(t, llmtest.Say(llmtest.Reply{Reasoning: []string{"hmm"}, Text: []string{"Hello, ", "world."}}))
			client, err := sdk.New(sdks.Target{URL: api.URL, Key: "key", Model: sdk.Model, HTTP: api.Client()})
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()

			text, err := client.Ask(ctx, "Hello?")
			require.NoError(t, err)
			require.Equal(t, "Hello, world.", text)

			var pieces []string
			require.NoError(t, client.Stream(ctx, "Hello?", func(piece string) { pieces = append(pieces, piece) }))
			require.Equal(t, "Hello, world.", strings.Join(pieces, ""))
			require.Greater(t, len(pieces), 1, "it arrived in pieces")

			s := api.Stats()
			require.Equal(t, 2, s.Requests)
			require.Equal(t, 1, s.Streams)
			require.Zero(t, s.Invalid)
			require.Zero(t, s.Wasted())
		})
	}
}

func TestVersionsAreThoseOfTheModule(t *testing.T) {
	mod, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	for _, sdk := range sdks.All() {
		require.Contains(t, string(mod), " "+sdk.Version+"\n", sdk.Name)
	}
}
