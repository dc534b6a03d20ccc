package main

import (
	"bytes"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWhatTheProgramPrints(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	require.Equal(t, `plain: timeout/total > retry > semaphore > transport
  the caller sees a broken connection
  the upstream sees 1 request(s) with 0 key(s)
orders: timeout/total > idempotency_key > retry > semaphore > transport
  the caller sees 201 Created
  the upstream sees 2 request(s) with 1 key(s)
`, out.String())
}

func TestTheStageKeepsTheContract(t *testing.T) {
	middlewaretest.Run(t, func(testing.TB) middleware.Middleware { return defaultKeyConfig().wrap })
}

func TestTheStagesSettingsAreCheckedAsAnyOther(t *testing.T) {
	registry, err := pipeline.NewRegistry(idempotencyKey())
	require.NoError(t, err)
	for settings, want := range map[string]string{
		"{method: [POST]}": `http.yaml:3:6: pipelines.orders.stages.idempotency_key.method: unknown key; did you mean "methods"?`,
		"{methods: []}":    "pipelines.orders.stages.idempotency_key.methods: the list is empty; write for example [POST]",
	} {
		_, err = registry.Load(fstest.MapFS{"http.yaml": {Data: []byte(
			"pipelines: {orders: {order: [idempotency_key], stages: {\n" +
				"  idempotency_key:\n" +
				"    " + settings + "}}}\n")}}, "http.yaml")
		require.ErrorContains(t, err, want)
	}
}
