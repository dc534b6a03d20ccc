package conf_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The configuration that the golden files are read as: something like the real one.
type goldenRoot struct {
	Pipelines map[string]goldenPipeline `yaml:"pipelines"`
}

type goldenPipeline struct {
	Extends string       `yaml:"extends"`
	Order   []string     `yaml:"order"`
	Stages  goldenStages `yaml:"stages"`
}

type goldenStages struct {
	Retry     goldenRetry     `yaml:"retry"`
	Cache     goldenCache     `yaml:"cache"`
	Semaphore goldenSemaphore `yaml:"semaphore"`
}

type goldenRetry struct {
	MaxAttempts int           `yaml:"max_attempts"`
	BaseDelay   time.Duration `yaml:"base_delay"`
	MaxDelay    time.Duration `yaml:"max_delay"`
	Jitter      float64       `yaml:"jitter"`
	Statuses    []int         `yaml:"statuses"`
}

func (r goldenRetry) Validate() error {
	var errs []error
	if r.MaxAttempts < 0 {
		errs = append(errs, &keyError{"max_attempts", "must be at least 1"})
	}
	if r.BaseDelay > r.MaxDelay {
		errs = append(errs, &keyError{"base_delay", "is above max_delay"})
	}
	return errors.Join(errs...)
}

type goldenCache struct {
	Store    string `yaml:"store"`
	MaxBytes size   `yaml:"max_bytes"`
	APIKey   size   `yaml:"api_key" headgate:"secret"`
}

type goldenSemaphore struct {
	MaxConcurrent uint16 `yaml:"max_concurrent"`
	Queue         int    `yaml:"queue"`
	Weighted      bool   `yaml:"weighted"`
}

// TestGolden reads every testdata/golden/NAME.yaml, lays NAME.overlay.yaml over
// it if there is one, and compares the errors, or the tree if there are none,
// with NAME.golden.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		if strings.HasSuffix(name, ".overlay") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			got := load(t, name)
			golden := filepath.Join("testdata", "golden", name+".golden")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

func load(t *testing.T, name string) string {
	var tree *conf.Node
	var errs []error
	for _, file := range []string{name + ".yaml", name + ".overlay.yaml"} {
		data, err := os.ReadFile(filepath.Join("testdata", "golden", file))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		require.NoError(t, err)
		n, err := conf.Parse(file, data, conf.DefaultLimits())
		errs = append(errs, err)
		tree = conf.Merge(tree, n)
	}
	tree, expandErrs := conf.Expand(tree, vars)
	errs = append(errs, expandErrs...)
	var root goldenRoot
	errs = append(errs, conf.Decode(tree, &root)...)
	for key, p := range root.Pipelines {
		node := tree.Get("pipelines").Get(key).Get("stages").Get("retry")
		errs = append(errs, conf.Locate(node, p.Stages.Retry.Validate())...)
	}
	if err := conf.Collect(errs...); err != nil {
		return err.Error() + "\n"
	}
	return string(conf.Encode(tree))
}
