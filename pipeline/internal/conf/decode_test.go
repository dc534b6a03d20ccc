package conf_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

type duration = time.Duration

// size is a number of bytes that reads itself, as the settings of stages do.
type size int64

func (s *size) UnmarshalText(text []byte) error {
	digits, ok := strings.CutSuffix(string(text), "MiB")
	n, err := strconv.ParseInt(digits, 10, 32)
	if !ok || err != nil {
		return fmt.Errorf("%q is not a size; write 64MiB", text)
	}
	*s = size(n << 20)
	return nil
}

type inner struct {
	Rate  float64 `yaml:"rate"`
	Burst int     `yaml:"burst"`
}

type embedded struct {
	Shared string `yaml:"shared"`
}

type settings struct {
	embedded
	Inline  inner             `yaml:",inline"`
	Name    string            `yaml:"name"`
	On      bool              `yaml:"on"`
	Max     int               `yaml:"max_attempts"`
	Wait    time.Duration     `yaml:"wait"`
	Bytes   size              `yaml:"bytes"`
	Address netip.Addr        `yaml:"address"`
	Inner   inner             `yaml:"inner"`
	Pointer *inner            `yaml:"pointer"`
	List    []inner           `yaml:"list"`
	Names   []string          `yaml:"names"`
	ByKey   map[string]inner  `yaml:"by_key"`
	Texts   map[string]string `yaml:"texts"`
	Any     any               `yaml:"any"`
	Node    *conf.Node        `yaml:"node"`
	Hook    func()            `yaml:"-"`
	Plain   int
}

func TestDecodeReadsEveryType(t *testing.T) {
	n := parse(t, `
shared: s
rate: 0.25
name: n
on: true
max_attempts: 0x10
wait: 1m30s
bytes: 64MiB
address: 127.0.0.1
inner: {rate: 1}
pointer: {burst: 3}
list: [{rate: .5}, {}]
names: [a, 1, true, 1.10, "2"]
by_key: {a: {rate: 2}}
texts: {k: v, api.example.com: 007}
any: {i: 1, f: 1.5, b: False, s: x, l: [1, null], n: null, u: 18446744073709551615, m: {}}
node: {a: 1}
plain: 5
`)
	var got settings
	require.Empty(t, conf.Decode(n, &got))
	require.Equal(t, settings{
		embedded: embedded{"s"},
		Inline:   inner{Rate: 0.25},
		Name:     "n",
		On:       true,
		Max:      16,
		Wait:     90 * time.Second,
		Bytes:    64 << 20,
		Address:  netip.MustParseAddr("127.0.0.1"),
		Inner:    inner{Rate: 1},
		Pointer:  &inner{Burst: 3},
		List:     []inner{{Rate: 0.5}, {}},
		Names:    []string{"a", "1", "true", "1.10", "2"},
		ByKey:    map[string]inner{"a": {Rate: 2}},
		Texts:    map[string]string{"k": "v", "api.example.com": "007"},
		Any: map[string]any{
			"i": 1, "f": 1.5, "b": false, "s": "x", "l": []any{1, nil}, "n": nil, "u": uint64(18446744073709551615), "m": map[string]any{},
		},
		Node:  n.Get("node"),
		Plain: 5,
	}, got)
}

func defaults() settings {
	return settings{
		Name: "default", Max: 3, Wait: time.Second,
		Inner:   inner{Rate: 1, Burst: 2},
		Pointer: &inner{Rate: 1, Burst: 2},
		List:    []inner{{Rate: 1}},
		Names:   []string{"x", "y"},
		ByKey:   map[string]inner{"a": {Rate: 1, Burst: 2}, "b": {Rate: 9}},
		Texts:   map[string]string{"k": "v"},
		Any:     "any",
	}
}

func TestDecodeKeepsDefaults(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		change func(*settings)
	}{
		"an empty document keeps all":    {"", func(*settings) {}},
		"null keeps the default":         {"name: null\nmax_attempts: ~\nwait:\ninner: null\npointer: null\nlist:\nby_key:\nany: null\nnode: null\nbytes: null", func(*settings) {}},
		"a struct keeps its other keys":  {"inner: {rate: 5}", func(s *settings) { s.Inner.Rate = 5 }},
		"a pointer keeps its other keys": {"pointer: {rate: 5}", func(s *settings) { s.Pointer = &inner{5, 2} }},
		"a list replaces":                {"list: [{burst: 1}]", func(s *settings) { s.List = []inner{{0, 1}} }},
		"an empty list replaces":         {"names: []", func(s *settings) { s.Names = []string{} }},
		"a map adds": {"by_key: {a: {rate: 5}, c: {burst: 1}}", func(s *settings) {
			s.ByKey = map[string]inner{"a": {5, 2}, "b": {Rate: 9}, "c": {Burst: 1}}
		}},
		"null in a map keeps its default": {"by_key: {a: null, z: null}\ntexts: {k: null}", func(*settings) {}},
	} {
		t.Run(name, func(t *testing.T) {
			got, want, shared := defaults(), defaults(), defaults()
			// The pointers and maps of the defaults are shared by all who copy them.
			got.Pointer, got.ByKey, got.Texts, got.Names = shared.Pointer, shared.ByKey, shared.Texts, shared.Names
			c.change(&want)
			require.Empty(t, conf.Decode(parse(t, c.text), &got))
			require.Equal(t, want, got)
			require.Equal(t, defaults(), shared, "what the defaults point to is not written to")
		})
	}
}

func TestDecodeReportsEverythingAtOnce(t *testing.T) {
	got := defaults()
	errs := conf.Decode(parse(t, `
name: [x]
max_attemps: 4
max_attempts: many
inner: {rate: x, burts: 1}
list: [{rate: 1}, {rate: y}, 3]
by_key: {a: {rate: z}}
names: {a: b}
pointer: 3
Wait: 1s
`), &got)
	require.Equal(t, []string{
		`a.yaml:2:7: name: expected a text, found a list`,
		`a.yaml:3:1: max_attemps: unknown key; did you mean "max_attempts"?`,
		`a.yaml:4:15: max_attempts: "many" is not an integer; write a whole number`,
		`a.yaml:5:15: inner.rate: "x" is not a number; write a number such as 0.5`,
		`a.yaml:5:18: inner.burts: unknown key; did you mean "burst"? valid keys: burst, rate`,
		`a.yaml:6:26: list[1].rate: "y" is not a number; write a number such as 0.5`,
		`a.yaml:6:30: list[2]: expected a map of keys, found an integer`,
		`a.yaml:7:20: by_key.a.rate: "z" is not a number; write a number such as 0.5`,
		`a.yaml:8:8: names: expected a list, found a map; write [a, b], or a line with - for each item`,
		`a.yaml:9:10: pointer: expected a map of keys, found an integer`,
		`a.yaml:10:1: Wait: unknown key; did you mean "wait"?`,
	}, texts(errs))
	require.Equal(t, defaults(), got, "what is wrong leaves the default")
}

func TestUnknownKey(t *testing.T) {
	many := strings.Fields(strings.Repeat("key ", 25))
	require.Equal(t, `unknown key`, conf.UnknownKey("key", "x", nil))
	require.Equal(t, `unknown stage; valid stages: cache, retry`, conf.UnknownKey("stage", "x", []string{"retry", "cache"}))
	require.Equal(t, `unknown stage; did you mean "retry"? valid stages: cache, retry`, conf.UnknownKey("stage", "rety", []string{"retry", "cache"}))
	require.Equal(t, `unknown key`, conf.UnknownKey("key", "x", many))
	require.Equal(t, `unknown key; did you mean "key"?`, conf.UnknownKey("key", "keyy", many))
}

func TestDecodeNullInALists(t *testing.T) {
	var got struct {
		Names []string
		Any   []any
	}
	errs := conf.Decode(parse(t, "names: [a, null]\nany: [1, null]"), &got)
	require.Equal(t, []string{"a.yaml:1:12: names[1]: an item of this list can't be null"}, texts(errs))
	require.Nil(t, got.Names)
	require.Equal(t, []any{1, nil}, got.Any)
}

func TestDecodeMapsOfAnyKeepNull(t *testing.T) {
	got := struct{ M map[string]any }{map[string]any{"a": 1}}
	require.Empty(t, conf.Decode(parse(t, "m: {a: null, b: null}"), &got))
	require.Equal(t, map[string]any{"a": 1, "b": nil}, got.M)
}

func TestDecodeIntoMapsOfNodes(t *testing.T) {
	var got struct {
		Stages map[string]*conf.Node `yaml:"stages"`
	}
	n := parse(t, "stages: {retry: {max: 1}, timeout/total: {}, cache: null}")
	require.Empty(t, conf.Decode(n, &got))
	require.Len(t, got.Stages, 2)
	require.Same(t, n.Get("stages").Get("retry"), got.Stages["retry"])
	require.Equal(t, "stages.timeout/total", got.Stages["timeout/total"].Path)
}

func TestDecodeRefusesGoTypesWithoutPanic(t *testing.T) {
	for name, c := range map[string]struct {
		into any
		want string
	}{
		"nil":                       {nil, "decode into <nil>: needs a pointer that is not nil"},
		"a struct":                  {inner{}, "decode into conf_test.inner: needs a pointer that is not nil"},
		"a nil pointer":             {(*inner)(nil), "decode into *conf_test.inner: needs a pointer that is not nil"},
		"a function":                {&struct{ A func() }{}, "a.yaml:1:4: a: can't be set here: the Go type func() is not supported"},
		"a channel":                 {&struct{ A chan int }{}, "a.yaml:1:4: a: can't be set here: the Go type chan int is not supported"},
		"an interface with methods": {&struct{ A error }{}, "a.yaml:1:4: a: can't be set here: the Go type error is not supported"},
		"a map with integer keys":   {&struct{ A map[int]int }{}, "a.yaml:1:4: a: can't be set here: the Go type map[int]int is not supported"},
		"two fields with one key": {&struct {
			A int `yaml:"a"`
			B int `yaml:"a"`
		}{}, "a.yaml:1:1: the Go type struct { A int \"yaml:\\\"a\\\"\"; B int \"yaml:\\\"a\\\"\" } has two fields with the key a"},
		"an unexported field": {&struct{ a int }{}, "a.yaml:1:1: a: unknown key"},
		"a field without key": {&struct {
			A int `yaml:"-"`
		}{}, "a.yaml:1:1: a: unknown key"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, []string{c.want}, texts(conf.Decode(parse(t, "a: 1"), c.into)))
		})
	}
}

func TestDecodeNil(t *testing.T) {
	got := defaults()
	require.Empty(t, conf.Decode(nil, &got))
	require.Equal(t, defaults(), got)
}

type withSecrets struct {
	Key    string            `yaml:"key" headgate:"secret"`
	Count  int               `yaml:"count" headgate:"secret"`
	On     bool              `yaml:"on" headgate:"secret"`
	Rate   float64           `yaml:"rate" headgate:"secret"`
	Wait   time.Duration     `yaml:"wait" headgate:"secret"`
	Size   size              `yaml:"size" headgate:"secret"`
	Small  int8              `yaml:"small" headgate:"secret"`
	Quoted int               `yaml:"quoted" headgate:"secret"`
	Nested inner             `yaml:"nested" headgate:"secret"`
	Map    map[string]size   `yaml:"map" headgate:"secret"`
	List   []int             `yaml:"list" headgate:"secret"`
	Ptr    *int              `yaml:"ptr" headgate:"secret"`
	Any    any               `yaml:"any" headgate:"secret"`
	Open   map[string]string `yaml:"open"`
}

func TestNoErrorShowsASecret(t *testing.T) {
	const secret = "99999999999999999999"
	var text strings.Builder
	for _, key := range []string{"count", "on", "rate", "wait", "size", "small", "quoted", "ptr", "any"} {
		value := secret
		switch key {
		case "quoted":
			value = `"` + secret + `"`
		case "rate":
			value = secret + "x"
		}
		fmt.Fprintf(&text, "%s: %s\n", key, value)
	}
	fmt.Fprintf(&text, "key: [%s]\nnested: {burst: %s}\nmap: {a: %s}\nlist: [%s]\n", secret, secret, secret, secret)
	errs := conf.Decode(parse(t, text.String()), new(withSecrets))
	require.Len(t, errs, 13)
	for _, err := range errs {
		require.NotContains(t, err.Error(), "99999")
	}
}
