package conf_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

func env(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

var vars = env(map[string]string{
	"MAX": "4", "ON": "true", "RATE": "0.5", "HOST": "api.deepseek.com", "KEY": "sk-123", "DIGITS": "0123", "NULL": "null",
	"EMPTY": "", "REF": "${env:KEY}", "YAML": "{a: 1}", "BIG": strings.Repeat("x", 600_000), "_A1": "x",
})

func TestExpand(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a reference alone has the type of its value": {"a: ${env:MAX}\nb: ${env:ON}\nc: ${env:RATE}\nd: ${env:HOST}", `{a: integer(4), b: boolean(true), c: number(0.5), d: "api.deepseek.com"}`},
		"a quoted reference stays text":               {`{a: "${env:MAX}", b: '${env:ON}'}`, `{a: "4", b: "true"}`},
		"a block of text stays text":                  {"a: |-\n  ${env:MAX}", `{a: "4"}`},
		"a reference within a text":                   {"a: https://${env:HOST}:${env:MAX}/v1", `{a: "https://api.deepseek.com:4/v1"}`},
		"two references are text":                     {"a: ${env:MAX}${env:MAX}", `{a: "44"}`},
		"a default for what is not set":               {"a: ${env:NONE:-7}\nb: ${env:NONE:-a b:-c}", `{a: integer(7), b: "a b:-c"}`},
		"a default for what is empty":                 {"a: ${env:EMPTY:-7}", "{a: integer(7)}"},
		"a default that is not needed":                {"a: ${env:MAX:-7}", "{a: integer(4)}"},
		"an empty default is null":                    {"a: ${env:NONE:-}", "{a: null}"},
		"an empty default in quotes is empty text":    {`a: "${env:NONE:-}"`, `{a: ""}`},
		"an empty default within a text":              {"a: x${env:NONE:-}y", `{a: "xy"}`},
		"the value null is text":                      {"a: ${env:NULL}", `{a: "null"}`},
		"values are not expanded again":               {"a: ${env:REF}", `{a: "${env:KEY}"}`},
		"values are not read as YAML":                 {"a: ${env:YAML}", `{a: "{a: 1}"}`},
		"an escape":                                   {"a: $${env:KEY}\nb: x$${y}", `{a: "${env:KEY}", b: "x${y}"}`},
		"an escape before a reference":                {"a: $${${env:MAX}", `{a: "${4"}`},
		"dollars that begin nothing":                  {"a: $5 $$ $x {}", `{a: "$5 $$ $x {}"}`},
		"lists and maps, however deep":                {"a:\n  - b:\n      - ${env:MAX}", "{a: [{b: [integer(4)]}]}"},
		"keys are left alone":                         {`"${env:MAX}": 1`, "{${env:MAX}: integer(1)}"},
		"names with _ and digits":                     {"a: ${env:_A1}", `{a: "x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			n := parse(t, c.text)
			before := show(n)
			expanded, errs := conf.Expand(n, vars)
			require.Empty(t, errs)
			require.Equal(t, c.want, show(expanded))
			require.Equal(t, before, show(n), "the input stays as it is")
		})
	}
}

func TestExpandRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"what is not set":            {"a:\n  b: ${env:NONE}", "a.yaml:2:6: a.b: the environment variable NONE is not set; set it, or write ${env:NONE:-default}"},
		"what is empty":              {"a: ${env:EMPTY}", "a.yaml:1:4: a: the environment variable EMPTY is empty; set it, or write ${env:EMPTY:-default}"},
		"a reference without its }":  {"a: ${env:KEY", "a.yaml:1:4: a: a ${ without its }; write $${ for a plain ${"},
		"what is not env":            {"a: ${KEY}", "a.yaml:1:4: a: unknown reference ${KEY}; write ${env:NAME}, or $${ for a plain ${"},
		"no name":                    {"a: ${env:}", "a.yaml:1:4: a: ${env:} does not name an environment variable; letters, digits and _ do"},
		"a name that can't be one":   {"a: ${env:1-A}", "a.yaml:1:4: a: ${env:1-A} does not name an environment variable; letters, digits and _ do"},
		"a shell's default operator": {"a: ${env:KEY-x}", "a.yaml:1:4: a: ${env:KEY-x} does not name an environment variable; letters, digits and _ do"},
		"nested references":          {"a: ${env:NONE:-${env:KEY}}", "a.yaml:1:4: a: the default of ${env:NONE} holds a ${; references can't be nested"},
	} {
		t.Run(name, func(t *testing.T) {
			n := parse(t, c.text)
			expanded, errs := conf.Expand(n, vars)
			require.Equal(t, []string{c.want}, texts(errs))
			require.Equal(t, show(n), show(expanded))
		})
	}
}

func TestExpandReportsEverything(t *testing.T) {
	_, errs := conf.Expand(parse(t, "a: ${env:NONE1}\nb: [\"${env:NONE2}\"]\nc: ${env:KEY}"), vars)
	require.Len(t, errs, 2)
	require.ErrorContains(t, errs[0], "a.yaml:1:4: a: the environment variable NONE1")
	require.ErrorContains(t, errs[1], "a.yaml:2:5: b[0]: the environment variable NONE2")
}

func TestExpandIsBounded(t *testing.T) {
	_, errs := conf.Expand(parse(t, "a: ${env:BIG}\nb: ${env:BIG}"), vars)
	require.Equal(t, []string{"a.yaml:2:4: b: the environment adds more than 1048576 bytes to the configuration"}, texts(errs))
}

func TestExpandOfNothing(t *testing.T) {
	n, errs := conf.Expand(nil, vars)
	require.Nil(t, n)
	require.Empty(t, errs)
}

func TestExpandTwiceIsExpandOnce(t *testing.T) {
	once, errs := conf.Expand(parse(t, "a: $${env:KEY}\nb: ${env:REF}"), vars)
	require.Empty(t, errs)
	twice, errs := conf.Expand(once, vars)
	require.Empty(t, errs)
	require.Equal(t, once, twice)
}

func TestNoErrorShowsAValueOfTheEnvironment(t *testing.T) {
	n, errs := conf.Expand(parse(t, `
int: ${env:KEY}
bool: ${env:KEY}
float: "${env:KEY}"
duration: ${env:KEY}
size: ${env:KEY}
time: x${env:KEY}
list: ${env:KEY}
small: ${env:DIGITS}
`), vars)
	require.Empty(t, errs)
	errs = conf.Decode(n, new(struct {
		Int      int
		Bool     bool
		Float    float64
		Duration duration
		Size     size
		Time     size
		List     []string
		Small    int8
	}))
	require.Equal(t, []string{
		`a.yaml:2:6: int: the value of "${env:KEY}" is not an integer`,
		`a.yaml:3:7: bool: the value of "${env:KEY}" is not a boolean`,
		`a.yaml:4:8: float: the value of "${env:KEY}" is not a number`,
		`a.yaml:5:11: duration: the value of "${env:KEY}" is not a duration`,
		`a.yaml:6:7: size: the value of "${env:KEY}" is not valid`,
		`a.yaml:7:7: time: the value of "x${env:KEY}" is not valid`,
		`a.yaml:8:7: list: expected a list, found a text; write [a, b], or a line with - for each item`,
		`a.yaml:9:8: small: the value of "${env:DIGITS}" is not an integer`,
	}, texts(errs))
}
