package chart

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// Chart is lines over the same points.
type Chart struct {
	Title  string
	XTitle string
	X      []string // the label of each point
	Lines  []Line
}

// Line is one of a chart's lines; Values are shares from 0 to 1, one for each point.
type Line struct {
	Name   string
	Values []float64
	Dashed bool
}

// The palette of Okabe and Ito (2008), which people tell apart who see few colours.
var colours = [...]string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"}

const (
	width, height            = 920, 420
	left, top, right, bottom = 60, 50, 310, 50
	plotWidth                = width - left - right
	plotHeight               = height - top - bottom
)

// SVG draws the chart.
func (c Chart) SVG() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" font-family="sans-serif" font-size="12" role="img">`+"\n", width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n", escape(c.Title))
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", width, height)
	text(&b, left, 24, "start", 15, c.Title)
	c.axes(&b)
	for i, l := range c.Lines {
		c.line(&b, i, l)
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

func (c Chart) axes(b *strings.Builder) {
	for percent := 0; percent <= 100; percent += 20 {
		y := yOf(float64(percent) / 100)
		fmt.Fprintf(b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1[2]f" stroke="#dddddd"/>`+"\n", left, y, left+plotWidth)
		text(b, left-8, y+4, "end", 12, fmt.Sprintf("%d %%", percent))
	}
	for i, label := range c.X {
		text(b, c.xOf(i), top+plotHeight+18, "middle", 12, label)
	}
	text(b, left+plotWidth/2, height-10, "middle", 12, c.XTitle)
}

func (c Chart) line(b *strings.Builder, i int, l Line) {
	colour, dash := colours[i%len(colours)], ""
	if l.Dashed {
		dash = ` stroke-dasharray="6 4"`
	}
	points := make([]string, len(l.Values))
	for p, v := range l.Values {
		points[p] = fmt.Sprintf("%.1f,%.1f", c.xOf(p), yOf(v))
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2.5"%s/>`+"\n", strings.Join(points, " "), colour, dash)
	y := float64(top + 8 + 24*i)
	fmt.Fprintf(b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="%s" stroke-width="2.5"%s/>`+"\n", width-right+20, y, width-right+44, y, colour, dash)
	text(b, width-right+52, y+4, "start", 12, l.Name)
}

// xOf is where the point stands; one alone stands in the middle.
func (c Chart) xOf(i int) float64 {
	if len(c.X) < 2 {
		return left + plotWidth/2
	}
	return left + plotWidth*float64(i)/float64(len(c.X)-1)
}

func yOf(share float64) float64 {
	return top + plotHeight*(1-min(max(share, 0), 1))
}

func text(b *strings.Builder, x, y float64, anchor string, size int, s string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s" font-size="%d" fill="#333333">%s</text>`+"\n", x, y, anchor, size, escape(s))
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}
