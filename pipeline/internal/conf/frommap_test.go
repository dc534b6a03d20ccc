package conf_test

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

type named string

func TestFromMapTakesGoValues(t *testing.T) {
	seven := 7
	n, err := conf.FromMap("viper", map[string]any{
		"nil": nil, "bool": true, "int": -1, "int8": int8(2), "uint64": uint64(math.MaxUint64),
		"float": 0.25, "float32": float32(0.1), "json": float64(4), "big": 1e300, "inf": math.Inf(-1), "nan": math.NaN(),
		"text": "x", "digits": "4", "named": named("n"), "wait": 200 * time.Millisecond, "addr": netip.MustParseAddr("::1"),
		"list": []any{1, "a", nil}, "texts": []string{"a"}, "array": [2]int{1, 2}, "pointer": &seven, "none": (*int)(nil), "iface": any(&seven),
		"map": map[string]any{"b": 1, "a": map[any]any{"x": 2}}, "typed": map[named]int{"k": 1}, "addresses": map[string]*netip.Addr{"a": nil},
	})
	require.NoError(t, err)
	require.Equal(t, `{addr: "::1", addresses: {a: null}, array: [integer(1), integer(2)], big: number(1e+300), bool: boolean(true), digits: "4", `+
		`float: number(0.25), float32: number(0.1), iface: integer(7), inf: number(-.inf), int: integer(-1), int8: integer(2), json: integer(4), `+
		`list: [integer(1), "a", null], map: {a: {x: integer(2)}, b: integer(1)}, named: "n", nan: number(.nan), nil: null, none: null, `+
		`pointer: integer(7), text: "x", texts: ["a"], typed: {k: integer(1)}, uint64: integer(18446744073709551615), wait: "200ms"}`, show(n))
	require.Equal(t, "map.a.x", n.Get("map").Get("a").Get("x").Path)
	require.EqualError(t, n.Get("list").Items[1].Errorf("wrong"), "viper: list[1]: wrong")
}

func TestFromMapOfNothingIsAnEmptyMap(t *testing.T) {
	n, err := conf.FromMap("viper", nil)
	require.NoError(t, err)
	require.Equal(t, "{}", show(n))
}

func TestFromMapTextsMayStandForNumbers(t *testing.T) {
	n, err := conf.FromMap("koanf", map[string]any{"max": "4", "on": "true", "rate": "0.5", "wait": "1s", "name": "5", "any": "5"})
	require.NoError(t, err)
	var got struct {
		Max  int
		On   bool
		Rate float64
		Wait time.Duration
		Name string
		Any  any
	}
	require.Empty(t, conf.Decode(n, &got))
	require.Equal(t, 4, got.Max)
	require.True(t, got.On)
	require.Equal(t, 0.5, got.Rate)
	require.Equal(t, time.Second, got.Wait)
	require.Equal(t, "5", got.Name)
	require.Equal(t, "5", got.Any)
}

type failing struct{}

func (failing) MarshalText() ([]byte, error) { return nil, errors.New("has no text") }

type ring *ring

func TestFromMapRefuses(t *testing.T) {
	self := map[string]any{}
	self["self"] = self
	list := make([]any, 1)
	list[0] = list
	wide := make([]int, 30_000)
	var pointer any
	pointer = &pointer
	var r ring
	r = &r
	for name, c := range map[string]struct {
		in   map[string]any
		want string
	}{
		"a function":                 {map[string]any{"a": func() {}}, "viper: a: a Go value of type func() can't be a setting"},
		"a struct":                   {map[string]any{"a": struct{ B int }{1}}, "viper: a: a Go value of type struct { B int } can't be a setting"},
		"a complex number":           {map[string]any{"a": 1i}, "viper: a: a Go value of type complex128 can't be a setting"},
		"a key that is not a text":   {map[string]any{"a": map[any]any{1: 2}}, "viper: a: a key must be a text, not 1"},
		"a nil key":                  {map[string]any{"a": map[any]any{nil: 2}}, "viper: a: a key must be a text, not <nil>"},
		"a failing MarshalText":      {map[string]any{"a": failing{}}, "viper: a: has no text"},
		"a map in itself":            {self, "viper: " + strings.Repeat("self.", 64) + "self: is nested too deep; the limit is 64 levels"},
		"a list in itself":           {map[string]any{"a": list}, "viper: a" + strings.Repeat("[0]", 64) + ": is nested too deep; the limit is 64 levels"},
		"a pointer to itself":        {map[string]any{"a": pointer}, "viper: a: is a pointer that leads to itself"},
		"a typed pointer to itself":  {map[string]any{"a": r}, "viper: a: is a pointer that leads to itself"},
		"too many values":            {map[string]any{"a": wide}, "viper: a[9998]: holds too many values; the limit is 10000"},
		"a path that is too long":    {map[string]any{strings.Repeat("k", 1025): 1}, fmt.Sprintf("viper: %s: the path of this key is longer than 1024 bytes", strings.Repeat("k", 1025))},
		"everything wrong, together": {map[string]any{"a": 1i, "b": []any{2i}}, "viper: a: a Go value of type complex128 can't be a setting\nviper: b[0]: a Go value of type complex128 can't be a setting"},
	} {
		t.Run(name, func(t *testing.T) {
			n, err := conf.FromMap("viper", c.in)
			require.Nil(t, n)
			require.EqualError(t, err, c.want)
		})
	}
}
