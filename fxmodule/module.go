package fxmodule

import (
	"go.uber.org/fx"

	"github.com/headgate-go/headgate/pipeline"
)

// Module is what all pipelines of an application share: the *pipeline.Registry
// of the built-in stage types and those of Stage. Every application with
// pipelines has it once.
var Module fx.Option = fx.Module("headgate", fx.Provide(newRegistry))

type stageTypes struct {
	fx.In

	Factories []pipeline.Factory `group:"headgate.stages"`
}

func newRegistry(in stageTypes) (*pipeline.Registry, error) {
	return pipeline.NewRegistry(in.Factories...)
}
