package fxmodule_test

import (
	"net/http"
	"testing"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/headgate-go/headgate/cachestore/memory"
	"github.com/headgate-go/headgate/fxmodule"
)

const cached = `
pipelines:
  search: {order: [cache], stages: {cache: {store: answers}}}
`

func newAnswers() (*memory.Store, error) { return memory.New(memory.DefaultConfig()) }

func TestAStoreOfTheGraphIsKnownByItsName(t *testing.T) {
	base := &answering{status: 204}
	var client *http.Client
	var answers store.StoreInterface
	started(t, configured(cached), fxmodule.Pipeline("search"), named("search", base),
		fx.Provide(fx.Annotate(newAnswers, fx.As(new(store.StoreInterface)), fx.ResultTags(`name:"answers"`))),
		fxmodule.Store("answers"),
		fx.Invoke(fx.Annotate(func(c *http.Client, s store.StoreInterface) { client, answers = c, s },
			fx.ParamTags(`name:"search"`, `name:"answers"`))))
	get(t, client, "http://upstream.test/")
	require.Positive(t, answers.(*memory.Store).Stats().Misses, "the cache has looked in it")
}

func TestAStoreThatTheGraphDoesNotHaveIsTold(t *testing.T) {
	err := failing(configured(cached), fxmodule.Pipeline("search"), fxmodule.Store("answers"))
	require.ErrorContains(t, err, `store.StoreInterface[name="answers"]`)
}
