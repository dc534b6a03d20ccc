package conf_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

// decodeAs decodes the value of a document `v: text` as a T.
func decodeAs[T any](t *testing.T, text string) (T, []string) {
	t.Helper()
	var into struct {
		V T `yaml:"v"`
	}
	errs := texts(conf.Decode(parse(t, "v: "+text+"\n"), &into))
	for i, e := range errs {
		errs[i] = strings.TrimPrefix(e, "a.yaml:1:4: v: ")
	}
	return into.V, errs
}

// good and bad are tables: what a text is as a T, and what is said if it is not.
func good[T any](t *testing.T, table map[string]T) {
	for text, want := range table {
		t.Run(fmt.Sprintf("%s takes %s", reflect.TypeFor[T](), text), func(t *testing.T) {
			got, errs := decodeAs[T](t, text)
			require.Empty(t, errs)
			require.Equal(t, want, got)
		})
	}
}

func bad[T any](t *testing.T, table map[string]string) {
	for text, want := range table {
		t.Run(fmt.Sprintf("%s refuses %s", reflect.TypeFor[T](), text), func(t *testing.T) {
			got, errs := decodeAs[T](t, text)
			require.Equal(t, []string{want}, errs)
			require.Zero(t, got)
		})
	}
}

func TestDecodeBooleans(t *testing.T) {
	good(t, map[string]bool{"true": true, "True": true, "TRUE": true, "false": false, "FALSE": false})
	bad[bool](t, map[string]string{
		"yes":    `"yes" is not a boolean; did you mean true?`,
		"Off":    `"Off" is not a boolean; did you mean false?`,
		"1":      `1 is not a boolean; did you mean true?`,
		"0":      `0 is not a boolean; did you mean false?`,
		"maybe":  `"maybe" is not a boolean; write true or false`,
		`"true"`: `"true" is not a boolean; remove the quotes`,
		`""`:     `"" is not a boolean`,
		"[true]": `expected a boolean, found a list`,
		"{a: 1}": `expected a boolean, found a map`,
	})
}

func TestDecodeIntegers(t *testing.T) {
	good(t, map[string]int{"0": 0, "-0": 0, "4": 4, "-4": -4, "+4": 4, "0x1f": 31, "0o17": 15, "9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64})
	good(t, map[string]int8{"127": 127, "-128": -128})
	good(t, map[string]uint{"0": 0, "+4": 4, "18446744073709551615": math.MaxUint64})
	good(t, map[string]uint16{"65535": 65535, "0xffff": 65535})
	bad[int](t, map[string]string{
		"1e3":                  `1e3 is not an integer; write 1000`,
		"4.0":                  `4.0 is not an integer; write 4`,
		"4.5":                  `4.5 is not an integer; write a whole number`,
		".inf":                 `.inf is not an integer; write a whole number`,
		"1e400":                `1e400 is not an integer; write a whole number`,
		"017":                  `"017" is not an integer; write 17`,
		"1_000":                `"1_000" is not an integer; write 1000`,
		"4x":                   `"4x" is not an integer; write a whole number`,
		"true":                 `true is not an integer; write a whole number`,
		`"4"`:                  `"4" is not an integer; remove the quotes`,
		`"four"`:               `"four" is not an integer`,
		"9223372036854775808":  `9223372036854775808 is not an integer from -9223372036854775808 to 9223372036854775807`,
		"-9223372036854775809": `-9223372036854775809 is not an integer from -9223372036854775808 to 9223372036854775807`,
		"[4]":                  `expected an integer, found a list`,
		"\n - 4":               `a.yaml:2:2: v: expected an integer, found a list`,
	})
	bad[int8](t, map[string]string{
		"128":  `128 is not an integer from -128 to 127`,
		"-129": `-129 is not an integer from -128 to 127`,
	})
	bad[uint](t, map[string]string{
		"-1":                   `-1 is not an integer from 0 to 18446744073709551615`,
		"18446744073709551616": `18446744073709551616 is not an integer from 0 to 18446744073709551615`,
	})
	bad[uint8](t, map[string]string{"256": `256 is not an integer from 0 to 255`})
}

func TestDecodeFloats(t *testing.T) {
	good(t, map[string]float64{"0": 0, "1": 1, "-1.5": -1.5, ".5": 0.5, "1e3": 1000, "1E-3": 0.001, "0x10": 16, "0o10": 8, "+2": 2})
	good(t, map[string]float32{"1.5": 1.5})
	bad[float64](t, map[string]string{
		".inf":                 `.inf is not a finite number`,
		"-.INF":                `-.INF is not a finite number`,
		".nan":                 `.nan is not a finite number`,
		"1e400":                `1e400 is not a finite number`,
		"50%":                  `"50%" is not a number; write a fraction: 50% is 0.5`,
		"half":                 `"half" is not a number; write a number such as 0.5`,
		"NaN":                  `"NaN" is not a number; write a number such as 0.5`,
		`"1"`:                  `"1" is not a number; remove the quotes`,
		"1,5":                  `"1,5" is not a number; write a number such as 0.5`,
		"{a: 1}":               `expected a number, found a map`,
		"0xffffffffffffffffff": `0xffffffffffffffffff is not a finite number`,
	})
	bad[float32](t, map[string]string{"1e39": `1e39 is not a finite number`})
}

func TestDecodeDurations(t *testing.T) {
	good(t, map[string]time.Duration{
		"200ms": 200 * time.Millisecond, "1m30s": 90 * time.Second, "-1s": -time.Second, "1.5h": 90 * time.Minute,
		"0": 0, "0s": 0, `"2s"`: 2 * time.Second, "1us": time.Microsecond,
	})
	bad[time.Duration](t, map[string]string{
		"200":                 `200 is not a duration; it has no unit: did you mean 200ms?`,
		"1.5":                 `1.5 is not a duration; it has no unit: did you mean 1.5ms?`,
		"-5":                  `-5 is not a duration; it has no unit: did you mean -5ms?`,
		`"200"`:               `"200" is not a duration; it has no unit: did you mean 200ms?`,
		"5 s":                 `"5 s" is not a duration; did you mean 5s?`,
		"5sec":                `"5sec" is not a duration; did you mean 5s?`,
		"5S":                  `"5S" is not a duration; did you mean 5s?`,
		"2mins":               `"2mins" is not a duration; did you mean 2m?`,
		"1 hour":              `"1 hour" is not a duration; did you mean 1h?`,
		"2d":                  `"2d" is not a duration; there is no unit for days: did you mean 48h?`,
		"soon":                `"soon" is not a duration; write a number and a unit, such as 200ms, 1.5s or 10m`,
		`""`:                  `"" is not a duration; write a number and a unit, such as 200ms, 1.5s or 10m`,
		"1e9h":                `"1e9h" is not a duration; write a number and a unit, such as 200ms, 1.5s or 10m`,
		"300000h0m300000000h": `"300000h0m300000000h" is not a duration; write a number and a unit, such as 200ms, 1.5s or 10m`,
		".inf":                `.inf is not a duration; write a number and a unit, such as 200ms, 1.5s or 10m`,
		"[1s]":                `expected a duration, found a list`,
	})
}

func TestDecodeTexts(t *testing.T) {
	good(t, map[string]string{"x": "x", `"1"`: "1", "1.10": "1.10", "007": "007", "true": "true", "''": "", "0x1F": "0x1F", "|-\n a\n b": "a\nb"})
	bad[string](t, map[string]string{"{a: 1}": "expected a text, found a map", "[a]": "expected a text, found a list"})
}

func TestDecodeTextUnmarshalers(t *testing.T) {
	good(t, map[string]size{"64MiB": 64 << 20, `"1MiB"`: 1 << 20})
	bad[size](t, map[string]string{
		"64":                     `"64" is not a size; write 64MiB`,
		"[64MiB]":                "expected a text, found a list",
		strings.Repeat("x", 100): `"` + strings.Repeat("x", 40) + `…" is not a size; write 64MiB`,
	})
}

func TestDecodeAny(t *testing.T) {
	good(t, map[string]any{"1": 1, "-1": -1, "0x10": 16, "1.5": 1.5, "x": "x", `"1"`: "1", "[]": []any{}, "{}": map[string]any{}, "007": "007"})
	bad[any](t, map[string]string{
		".nan":                 ".nan is not a finite number",
		"18446744073709551616": "18446744073709551616 is not an integer from 0 to 18446744073709551615",
	})
}

func TestErrorsQuoteAtMostFortyCharacters(t *testing.T) {
	_, errs := decodeAs[int](t, strings.Repeat("é", 1000))
	require.Equal(t, []string{`"` + strings.Repeat("é", 40) + `…" is not an integer; write a whole number`}, errs)
}

func TestAQuotedVariableIsANumberWhereOneIsDue(t *testing.T) {
	// In { } and [ ] YAML wants the quotes.
	n, errs := conf.Expand(parse(t, `{i: "${env:MAX}", b: "${env:ON}", f: "${env:RATE}", s: "${env:MAX}", a: "${env:MAX}"}`), vars)
	require.Empty(t, errs)
	var got struct {
		I int
		B bool
		F float64
		S string
		A any
	}
	require.Empty(t, conf.Decode(n, &got))
	require.Equal(t, 4, got.I)
	require.True(t, got.B)
	require.Equal(t, 0.5, got.F)
	require.Equal(t, "4", got.S)
	require.Equal(t, "4", got.A, "quoted stays text where nothing says otherwise")

	n, errs = conf.Expand(parse(t, `i: "${env:MAX}0"`), vars)
	require.Empty(t, errs)
	require.Equal(t, []string{`a.yaml:1:4: i: the value of "${env:MAX}0" is not an integer`}, texts(conf.Decode(n, &got)))
}
