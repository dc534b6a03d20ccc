package docs_test

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline"
)

// The page shows the presets as they are: a pipeline that extends one is the
// pipeline that stands there, and the table under it argues every setting.
func TestPresetsAreShown(t *testing.T) {
	p := readPage(t, filepath.Join(root, "docs", "configuration.md"))
	presets := 0
	for _, b := range p.blocks {
		name := p.presetOf(b)
		if name == "" {
			continue
		}
		presets++
		t.Run(name, func(t *testing.T) {
			shown, err := loadSnippet(b.text, fstest.MapFS{})
			require.NoError(t, err)
			preset, err := load("pipelines: {a: {extends: " + name + "}}")
			require.NoError(t, err)
			require.Equal(t, preset.Pipelines["a"], shown.Pipelines["snippet"])
		})
	}
	require.Equal(t, 2, presets)
}

// presetOf is the preset that a block shows: it stands in the section of its
// name and begins with the order.
func (p page) presetOf(b block) string {
	if !strings.HasPrefix(b.text, "order: ") {
		return ""
	}
	name := ""
	for _, h := range p.headings {
		if h.level == 3 && h.line < b.line {
			name = h.text
		}
	}
	return name
}

// The table of orders that are warned of has the rules of the lint, all of them
// and no other: every pair of stages is built in both orders.
func TestTableOfOrdersAgreesWithTheLint(t *testing.T) {
	p := readPage(t, filepath.Join(root, "docs", "configuration.md"))
	warned := map[string]bool{}
	for _, r := range p.rows {
		if r.section != "Warnings" || len(r.cells) != 3 {
			continue
		}
		for _, outside := range code.FindAllStringSubmatch(r.cells[0], -1) {
			for _, inside := range code.FindAllStringSubmatch(r.cells[1], -1) {
				warned[inside[1]+" outside "+outside[1]] = true
			}
		}
	}
	require.Len(t, warned, 25)
	for _, outer := range stageTypes(t) {
		for _, inner := range stageTypes(t) {
			if outer == inner {
				continue
			}
			built, err := pipeline.New("a", pipeline.Config{Order: []string{outer, inner}})
			require.NoError(t, err)
			pair := outer + " outside " + inner
			require.Equal(t, warned[pair], len(built.Warnings()) > 0, "%s: the lint says %v", pair, built.Warnings())
			require.NoError(t, built.Stop(t.Context()))
		}
	}
}

// sample has a setting of each type that the page tells how to write.
type sample struct {
	Duration time.Duration    `yaml:"duration"`
	Size     middleware.Bytes `yaml:"size"`
	Integer  int              `yaml:"integer"`
	Number   float64          `yaml:"number"`
	Boolean  bool             `yaml:"boolean"`
	Text     string           `yaml:"text"`
	List     []string         `yaml:"list"`
}

func (sample) Validate() error { return nil }

func TestTypesAreWrittenAsTheTableSays(t *testing.T) {
	registry, err := pipeline.NewRegistry(pipeline.Define("sample", func() sample { return sample{} },
		func(sample, pipeline.Env) (pipeline.Stage[sample], error) { return pipeline.Stage[sample]{}, nil }))
	require.NoError(t, err)
	tried := 0
	for _, r := range readPage(t, filepath.Join(root, "docs", "configuration.md")).rows {
		if r.section != "Types" || strings.HasPrefix(r.cells[0], "-") || r.cells[0] == "Type" {
			continue
		}
		for i, right := range []bool{true, false} {
			for _, m := range code.FindAllStringSubmatch(r.cells[1+i], -1) {
				tried++
				text := "pipelines: {a: {order: [sample], stages: {sample: {" + r.cells[0] + ": " + m[1] + "}}}}"
				_, err := registry.Load(fstest.MapFS{"a.yaml": {Data: []byte(text)}}, "a.yaml")
				require.Equal(t, right, err == nil, "%s: %v", text, err)
			}
		}
	}
	require.Greater(t, tried, 20)
}
