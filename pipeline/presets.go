package pipeline

import (
	_ "embed"
	"fmt"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

//go:embed presets.yaml
var presetsYAML []byte

// presetsFile is the name that the places in the presets have. It is no file of
// those who use them.
const presetsFile = "presets.yaml"

// loadPresets reads the presets, which are written as any configuration is.
func loadPresets() (map[string]source, error) {
	tree, err := conf.Parse(presetsFile, presetsYAML, conf.DefaultLimits())
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
