package httpcache

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCanonicalJSON(t *testing.T) {
	for text, want := range map[string]string{
		` {"b" : [1, 2 ,{ } ], "a":null}` + "\n": `{"a":null,"b":[1,2,{}]}`,
		`{"n":[1,1.0,1e0,-0,1E+2]}`:              `{"n":[1,1.0,1e0,-0,1E+2]}`,
		`"\u0041\/\n"`:                           `"A/\n"`,
		`"é😀"`:                                   `"é😀"`,
		`"\u00e9\ud83d\ude00"`:                   `"é😀"`,
		`{"a":{"a":1},"b":{"a":1}}`:              `{"a":{"a":1},"b":{"a":1}}`,
		`[]`:                                     `[]`, `true`: `true`, ` -1.5 `: `-1.5`,
	} {
		form, ok := canonicalJSON([]byte(text), nil)
		require.True(t, ok, text)
		require.Equal(t, want, string(form))
	}
}

// What two parsers may read in two ways has no canonical form.
func TestNoCanonicalForm(t *testing.T) {
	for name, text := range map[string]string{
		"duplicate names":               `{"a":1,"a":2}`,
		"duplicates, one escaped":       `{"a":1,"\u0061":2}`,
		"duplicates deep within":        `[{"x":{"a":1,"b":2,"a":1}}]`,
		"half a surrogate pair":         `"\ud800"`,
		"the replacement character":     `"\ufffd"`,
		"invalid UTF-8":                 "\"\xff\"",
		"nothing":                       "",
		"no JSON":                       `{"a":1,}`,
		"two values":                    `{} {}`,
		"nested deeper than parsers go": strings.Repeat("[", 20000) + strings.Repeat("]", 20000),
	} {
		_, ok := canonicalJSON([]byte(text), nil)
		require.False(t, ok, name)
	}
}

func TestIgnoredFields(t *testing.T) {
	form, ok := canonicalJSON([]byte(`{"user":"u","messages":[{"user":"kept"}],"metadata":{"trace":{"id":1},"keep":1},"trace":2}`), []string{"user", "metadata.trace"})
	require.True(t, ok)
	require.Equal(t, `{"messages":[{"user":"kept"}],"metadata":{"keep":1},"trace":2}`, string(form))
}

func TestKeyContentTellsFormsApart(t *testing.T) {
	r := &Route{CanonicalJSON: true}
	require.Equal(t, r.keyContent([]byte(`{"a": 1}`)), r.keyContent([]byte(`{"a":1}`)))
	require.NotEqual(t, r.keyContent([]byte("canonical\x00{}")), r.keyContent([]byte(`{}`)))
	require.Equal(t, []byte(`{"a": 1}`), (&Route{}).keyContent([]byte(`{"a": 1}`)))
	var none *Route
	require.Equal(t, []byte("x"), none.keyContent([]byte("x")))
}

// The canonical form means what the text means, and is its own canonical form.
func FuzzCanonicalJSON(f *testing.F) {
	for _, seed := range []string{`{"b":1,"a":[true,null,"x\u0041"]}`, `{"a":1,"a":2}`, `"\ud83d"`, `[1.0,-0]`, `{"":{"":0}}`, " 1 "} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		form, ok := canonicalJSON(text, nil)
		if !ok {
			return
		}
		require.Equal(t, decodeNumbers(t, text), decodeNumbers(t, form))
		again, ok := canonicalJSON(form, nil)
		require.True(t, ok)
		require.Equal(t, string(form), string(again))
	})
}

func decodeNumbers(t *testing.T, text []byte) (v any) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	require.NoError(t, d.Decode(&v))
	return v
}

func FuzzContentComplete(f *testing.F) {
	f.Add([]byte(`{"finish_reason":"length"}`))
	f.Add([]byte(`{"text":"\"finish_reason\":\"length\""}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var v any
		if ContentComplete(200, header("Content-Type", "application/json"), body) || json.Unmarshal(body, &v) != nil {
			return
		}
		// Whoever refuses valid JSON has seen a real member, not a text that looks like one.
		require.True(t, hasBadEnd(v), "%q", body)
	})
}

func hasBadEnd(v any) bool {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			if hasBadEnd(x) {
				return true
			}
		}
	case map[string]any:
		for name, x := range v {
			switch name {
			case "finish_reason", "stop_reason", "finishReason", "status":
				return true
			}
			if hasBadEnd(x) {
				return true
			}
		}
	}
	return false
}
