package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/chart"
)

// elements parses the whole document and gives its elements by name.
func elements(t *testing.T, svg []byte) map[string][]xml.StartElement {
	t.Helper()
	found := map[string][]xml.StartElement{}
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		require.NoError(t, err)
		if e, ok := token.(xml.StartElement); ok {
			found[e.Name.Local] = append(found[e.Name.Local], e.Copy())
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func TestSVGIsWellFormed(t *testing.T) {
	for name, c := range map[string]chart.Chart{
		"empty":                  {},
		"no lines":               {Title: "t", X: []string{"1", "2"}},
		"one point":              {X: []string{"1"}, Lines: []chart.Line{{Name: "a", Values: []float64{0.5}}}},
		"more lines than inks":   {X: []string{"1", "2"}, Lines: make([]chart.Line, 20)},
		"names that need care":   {Title: `<a> & "b"`, X: []string{"<", "&"}, XTitle: "]]>", Lines: []chart.Line{{Name: "</text>", Values: []float64{0, 1}}}},
		"bytes that XML forbids": {Title: "a\x00b\xff"},
	} {
		t.Run(name, func(t *testing.T) {
			found := elements(t, c.SVG())
			require.Len(t, found["svg"], 1)
			require.Len(t, found["polyline"], len(c.Lines))
		})
	}
}

func TestPointsStayInThePlot(t *testing.T) {
	c := chart.Chart{X: []string{"a", "b", "c", "d"}, Lines: []chart.Line{{Values: []float64{-1, 0, 1, 7}}}}
	points := strings.Fields(attribute(elements(t, c.SVG())["polyline"][0], "points"))
	require.Len(t, points, 4)
	var x, y [4]float64
	for i, p := range points {
		_, err := fmt.Sscanf(p, "%f,%f", &x[i], &y[i])
		require.NoError(t, err)
		require.False(t, math.IsNaN(x[i]))
	}
	require.IsIncreasing(t, x[:])
	require.Greater(t, y[1], y[2], "more is higher")
	require.Equal(t, y[0], y[1], "less than nothing is nothing")
	require.Equal(t, y[3], y[2], "more than all is all")
}

func TestDashedLine(t *testing.T) {
	c := chart.Chart{X: []string{"a"}, Lines: []chart.Line{{Values: []float64{1}, Dashed: true}, {Values: []float64{1}}}}
	lines := elements(t, c.SVG())["polyline"]
	require.NotEmpty(t, attribute(lines[0], "stroke-dasharray"))
	require.Empty(t, attribute(lines[1], "stroke-dasharray"))
	require.NotEqual(t, attribute(lines[0], "stroke"), attribute(lines[1], "stroke"))
}
