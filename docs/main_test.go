// Package docs_test keeps the documents and the house true: snippets compile
// and load, links lead somewhere, the tables of defaults agree with the code,
// and packages import only what they may.
package docs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	// What snippets and rules are about: a change there makes the results that
	// the go command has cached of these tests invalid, and all that go vet needs
	// offline is downloaded with them.
	_ "github.com/headgate-go/headgate/cachestore/storetest"
	_ "github.com/headgate-go/headgate/fxmodule"
	_ "github.com/headgate-go/headgate/middleware/middlewaretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// root is the repository, seen from here.
const root = ".."

// listed is what these tests read of go list's answer.
type listed struct {
	ImportPath  string
	Standard    bool
	GoFiles     []string
	Imports     []string
	TestImports []string
	Module      *struct{ Path string }
}

// goList asks the go command about packages.
func goList(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Standard,GoFiles,Imports,TestImports,Module"}, args...)...)
	cmd.Dir = root
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	require.NoError(t, err, problems.String())
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else {
			require.NoError(t, err)
		}
		all = append(all, p)
	}
}

// pages are all documents.
func pages(t *testing.T) []page {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	stages, err := filepath.Glob(filepath.Join(root, "docs", "stages", "*.md"))
	require.NoError(t, err)
	var all []page
	for _, name := range append(append(names, stages...), filepath.Join(root, "README.md")) {
		all = append(all, readPage(t, name))
	}
	return all
}
