package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

// page is what these tests know of a Markdown file.
type page struct {
	name     string // from the repository's root: docs/stages.md
	blocks   []block
	headings []heading
	links    []link
	rows     []row
}

// block is a fenced block of code.
type block struct {
	page, lang, mode string // mode is the second word after the fence: "fails"
	line             int    // of its first line
	text             string
}

func (b block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

type heading struct {
	level int
	text  string
	line  int
}

type link struct {
	line   int
	target string
}

// row is a row of a table, under the heading of level 2 that it stands below.
type row struct {
	line    int
	section string
	cells   []string
}

var (
	codeSpan = regexp.MustCompile("`[^`]*`")
	linkTo   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	linkDef  = regexp.MustCompile(`^\[[^\]]+\]:\s+(\S+)`)
)

func readPage(t *testing.T, file string) page {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	name, err := filepath.Rel(root, file)
	require.NoError(t, err)
	return parsePage(filepath.ToSlash(name), string(data))
}

func parsePage(name, text string) page {
	p := page{name: name}
	var open *block
	indent, section := "", ""
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimLeft(line, " ")
		info, fence := strings.CutPrefix(trimmed, "```")
		switch {
		case open != nil && fence:
			p.blocks = append(p.blocks, *open)
			open = nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		case fence:
			indent = line[:len(line)-len(trimmed)]
			lang, mode, _ := strings.Cut(info, " ")
			open = &block{page: name, lang: lang, mode: mode, line: i + 2}
		case strings.HasPrefix(line, "#"):
			marks, title, _ := strings.Cut(line, " ")
			p.headings = append(p.headings, heading{len(marks), title, i + 1})
			if len(marks) == 2 {
				section = title
			}
		case strings.HasPrefix(line, "|"):
			p.rows = append(p.rows, row{i + 1, section, cells(line)})
			p.addLinks(i+1, line)
		default:
			p.addLinks(i+1, line)
		}
	}
	return p
}

func (p *page) addLinks(line int, text string) {
	text = codeSpan.ReplaceAllString(text, "")
	for _, m := range append(linkTo.FindAllStringSubmatch(text, -1), linkDef.FindAllStringSubmatch(text, -1)...) {
		p.links = append(p.links, link{line, m[1]})
	}
}

// cells splits a row of a table; \| is no border.
func cells(line string) []string {
	line = strings.ReplaceAll(strings.Trim(strings.TrimSpace(line), "|"), `\|`, "\x00")
	var all []string
	for c := range strings.SplitSeq(line, "|") {
		all = append(all, strings.TrimSpace(strings.ReplaceAll(c, "\x00", "|")))
	}
	return all
}

// anchors are the fragments that the page's headings have on GitHub.
func (p page) anchors() map[string]bool {
	all := map[string]bool{}
	for _, h := range p.headings {
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, h.text)
		for n, base := 1, slug; all[slug]; n++ {
			slug = fmt.Sprintf("%s-%d", base, n)
		}
		all[slug] = true
	}
	return all
}

func TestParsePage(t *testing.T) {
	p := parsePage("x.md", strings.Join([]string{
		"# The title", // 1
		"A [link](a.md#b) and `no [link](c.md)`.", // 2
		"- item",                                     // 3
		"  ```yaml fails",                            // 4
		"  a: 1",                                     // 5
		"    # b",                                    // 6
		"  ```",                                      // 7
		"## Defaults, and `more`",                    // 8
		"| `a` | x \\| y | [to](d.md) |",             // 9
		"## Defaults, and more",                      // 10
		"[def]: e.md",                                // 11
		"```", "[not a link](f.md)", "# none", "```", // 12 - 15
	}, "\n"))
	require.Equal(t, []block{
		{page: "x.md", lang: "yaml", mode: "fails", line: 5, text: "a: 1\n  # b\n"},
		{page: "x.md", line: 13, text: "[not a link](f.md)\n# none\n"},
	}, p.blocks)
	require.Equal(t, []link{{2, "a.md#b"}, {9, "d.md"}, {11, "e.md"}}, p.links)
	require.Equal(t, []row{{9, "Defaults, and `more`", []string{"`a`", "x | y", "[to](d.md)"}}}, p.rows)
	require.Equal(t, map[string]bool{"the-title": true, "defaults-and-more": true, "defaults-and-more-1": true}, p.anchors())
}
