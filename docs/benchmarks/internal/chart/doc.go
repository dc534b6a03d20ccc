// Package chart draws line charts as SVG, without a font, a script or a style
// sheet from elsewhere.
package chart
