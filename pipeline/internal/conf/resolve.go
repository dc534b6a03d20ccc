package conf

import "regexp"

var (
	intText   = regexp.MustCompile(`^([-+]?(0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+)$`)
	floatText = regexp.MustCompile(`^([-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
)

// resolve tells what a text without quotes is in the YAML 1.2 core schema, but
// for one thing: a number with leading zeros is a text here, because YAML 1.1
// reads 010 as 8 and YAML 1.2 as 10.
func resolve(text string) Kind {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return Null
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return Bool
	}
	switch {
	case intText.MatchString(text):
		return Int
	case floatText.MatchString(text):
		return Float
	}
	return String
}
