package pipeline_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/pipeline"
)

var update = flag.Bool("update", false, "write the golden files anew")

// stageTypes is a list that grows with the library.
var stageTypes = regexp.MustCompile(`valid stages: [a-z_, ]+`)

// golden compares got with testdata/NAME.golden.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// TestBrokenFiles loads every testdata/NAME.yaml, with NAME.overlay.yaml over it
// if there is one, and compares all that is wrong with NAME.golden.
func TestBrokenFiles(t *testing.T) {
	all, err := filepath.Glob("testdata/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, all)
	for _, file := range all {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		if strings.HasSuffix(name, ".overlay") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			var overlays []string
			if _, err := os.Stat(filepath.Join("testdata", name+".overlay.yaml")); err == nil {
				overlays = append(overlays, name+".overlay.yaml")
			}
			f, err := pipeline.Load(os.DirFS("testdata"), name+".yaml", overlays...)
			require.Error(t, err)
			require.Zero(t, f, "nothing is given away of a broken file")
			golden(t, name, stageTypes.ReplaceAllString(err.Error(), "valid stages: ...")+"\n")
		})
	}
}
