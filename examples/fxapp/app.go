package main

import (
	"embed"

	"go.uber.org/fx"

	"github.com/headgate-go/headgate/fxmodule"
)

//go:embed http.yaml http.production.yaml
var config embed.FS

const development = "development"

// application is all but the endpoints, which would be settings in earnest.
func application(env string) fx.Option {
	return fx.Options(
		fx.NopLogger,
		fxmodule.Module,
		fxmodule.Config(config, "http.yaml", overlays(env)...),
		fxmodule.Pipeline("deepseek"),
		fxmodule.Pipeline("search"),
		fx.Provide(fx.Annotate(newAssistant, fx.ParamTags(`name:"deepseek"`, `name:"search"`))),
		demonstration,
	)
}

// overlays are the files over http.yaml in an environment; development has none.
func overlays(env string) []string {
	if env == development {
		return nil
	}
	return []string{"http." + env + ".yaml"}
}
