package docs_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestLinksLeadSomewhere(t *testing.T) {
	all := pages(t)
	require.Empty(t, deadLinks(os.DirFS(root), all), "links that lead nowhere")
}

// deadLinks gives the relative links that lead to no file of the repository, or
// to no heading of a page.
func deadLinks(repository fs.FS, all []page) []string {
	anchors := map[string]map[string]bool{}
	for _, p := range all {
		anchors[p.name] = p.anchors()
	}
	var dead []string
	for _, p := range all {
		for _, l := range p.links {
			if strings.Contains(l.target, "://") || strings.HasPrefix(l.target, "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(l.target, "#")
			to := p.name
			if file != "" {
				to = path.Join(path.Dir(p.name), file)
			}
			_, err := fs.Stat(repository, to)
			if err != nil || anchor != "" && !anchors[to][anchor] {
				dead = append(dead, fmt.Sprintf("%s:%d: %s", p.name, l.line, l.target))
			}
		}
	}
	return dead
}

func TestDeadLinksAreFound(t *testing.T) {
	all := []page{
		parsePage("README.md", "# Top\n[a](docs/a.md#part-one)\n[b](#top)\n[c](https://example.com/x)\n[d](docs)\n[e](docs/b.md)\n[f](#bottom)\n[g](../up.md)"),
		parsePage("docs/a.md", "## Part one\n[h](../README.md#top)\n[i](a.md#part-two)"),
	}
	dead := deadLinks(fstest.MapFS{"README.md": {}, "docs/a.md": {}}, all)
	require.Equal(t, []string{"README.md:6: docs/b.md", "README.md:7: #bottom", "README.md:8: ../up.md", "docs/a.md:3: a.md#part-two"}, dead)
}
