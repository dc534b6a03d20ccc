package pipeline

import (
	_ "embed"
	"fmt"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

//go:embed presets.yaml
var presetsYAML []byte

// loadPresets reads the presets, which are written as any configuration is.
func loadPresets() (map[string]source, error) {
	tree, err := conf.Parse("presets.yaml", presetsYAML, conf.DefaultLimits())
	if err != nil {
		return nil, fmt.Errorf("presets: %w", err)
	}
	presets := map[string]source{}
	pipelines := tree.Get("pipelines")
	for _, name := range pipelines.Keys() {
		s, errs := readSource(pipelines.Get(name))
		if err := conf.Collect(errs...); err != nil {
			return nil, fmt.Errorf("presets: %w", err)
		}
		presets[name] = s
	}
	return presets, nil
}
