package httpcache

import (
	"bytes"
	"math"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// codedFields are the fields of an entry that the codec writes or can do without.
const codedFields = "status statusLine proto major minor header trailer uncompressed body cc field selecting lifetime fixed " +
	"initialAge received hasLastModified tags stamp bodyID bodySize bodyExpires home"

// Whoever adds a field to the entry has to say what becomes of it in a byte store: write it in codec.go, or make
// it of the header in parse, and name it here.
func TestCodecKnowsEveryField(t *testing.T) {
	var fields []string
	for f := range reflect.TypeFor[entry]().Fields() {
		fields = append(fields, f.Name)
	}
	require.ElementsMatch(t, strings.Fields(codedFields), fields)
}

func anyText(max int) *rapid.Generator[string] {
	return rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, max), func(b []byte) string { return string(b) })
}

func anyHeader() *rapid.Generator[http.Header] {
	return rapid.Map(rapid.MapOfN(anyText(20), rapid.SliceOfN(anyText(40), 1, 3), 0, 5), func(m map[string][]string) http.Header { return m })
}

func linesOf(h http.Header) fields {
	f := make(fields, 0, len(h))
	for name, values := range h {
		for _, v := range values {
			f = append(f, fieldLine{name, v})
		}
	}
	return f
}

func anyEntry() *rapid.Generator[*entry] {
	return rapid.Custom(func(t *rapid.T) *entry {
		e := &entry{
			status: rapid.IntRange(100, 999).Draw(t, "status"), statusLine: anyText(20).Draw(t, "line"),
			proto: anyText(10).Draw(t, "proto"), major: rapid.IntRange(0, 3).Draw(t, "major"), minor: rapid.IntRange(0, 9).Draw(t, "minor"),
			header: linesOf(anyHeader().Draw(t, "header")), uncompressed: rapid.Bool().Draw(t, "uncompressed"), fixed: rapid.Bool().Draw(t, "fixed"),
			lifetime:   time.Duration(rapid.Int64().Draw(t, "lifetime")),
			initialAge: time.Duration(rapid.Int64Range(0, math.MaxInt64).Draw(t, "age")),
			received:   time.Unix(0, rapid.Int64Range(math.MinInt64+1, math.MaxInt64).Draw(t, "received")),
		}
		if rapid.Bool().Draw(t, "is targeted") {
			e.field = "Cdn-Cache-Control"
			e.header = append(e.header, fieldLine{e.field, "max-age=60, private"})
		}
		if rapid.Bool().Draw(t, "has a trailer") {
			e.trailer = anyHeader().Draw(t, "trailer")
		}
		for range rapid.IntRange(0, 3).Draw(t, "selecting") {
			s := selecting{name: anyText(10).Draw(t, "name"), found: rapid.Bool().Draw(t, "found")}
			if s.found {
				s.value = anyText(10).Draw(t, "value")
			}
			e.selecting = append(e.selecting, s)
		}
		e.stamp = stamp{url: anyText(26).Draw(t, "mark"), epoch: anyText(26).Draw(t, "epoch"), seq: rapid.Uint64().Draw(t, "seq")}
		for range rapid.IntRange(0, 3).Draw(t, "tags") {
			m := labelMark{anyText(10).Draw(t, "tag"), anyText(10).Draw(t, "generation")}
			e.stamp.tags, e.tags = append(e.stamp.tags, m), append(e.tags, m.label)
		}
		if rapid.Bool().Draw(t, "body elsewhere") {
			e.bodyID, e.bodySize, e.bodyExpires = "id", rapid.Int64Range(0, math.MaxInt64).Draw(t, "size"), time.Unix(0, 5)
		} else {
			e.body = []byte(anyText(100).Draw(t, "body"))
		}
		e.parse()
		return e
	})
}

func TestCodecGivesBackWhatItTook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &resource{key: "key", url: anyText(50).Draw(t, "url"), entries: rapid.SliceOfN(anyEntry(), 0, 4).Draw(t, "entries")}
		if rapid.Bool().Draw(t, "alone") {
			r.aloneUntil = time.Unix(0, rapid.Int64Range(0, math.MaxInt64).Draw(t, "until"))
		}
		got, err := decodeResource(encodeResource(r), "key")
		if err != nil {
			t.Fatal(err)
		}
		got.bytes = 0
		if len(r.entries) == 0 {
			r.entries = nil
		}
		require.Equal(t, r, got)
	})
}

func sampleResource() *resource {
	e := stored(header("Accept", "a"), "Cache-Control", "max-age=60", "Vary", "Accept, X", "Etag", `"v"`, "X-List", "one")
	e.trailer, e.body = header("X-Sum", "1"), []byte("hello")
	e.stamp = stamp{url: "g", epoch: "e", seq: 3, tags: []labelMark{{"tag", "t"}}}
	big := *e
	big.body, big.bodyID, big.bodySize, big.bodyExpires = nil, "id", 1<<20, noon
	return &resource{key: "key", url: "http://a/", entries: []*entry{e, &big}}
}

// Torn, truncated, run together, of another version: none is an entry, and none panics.
func TestCodecRefusesWhatIsDamaged(t *testing.T) {
	whole := encodeResource(sampleResource())
	_, err := decodeResource(whole, "key")
	require.NoError(t, err)
	for n := range whole {
		_, err := decodeResource(whole[:n], "key")
		require.Error(t, err, "cut to %d bytes", n)
	}
	_, err = decodeResource(append(bytes.Clone(whole), 0), "key")
	require.Error(t, err, "one byte more")
	for _, version := range []byte{0, codecVersion - 1, codecVersion + 1, 255} {
		other := bytes.Clone(whole)
		other[0] = version
		_, err = decodeResource(other, "key")
		require.Error(t, err)
	}
}

// A length that is a lie must not cost memory: nothing is allocated before it is there.
func TestCodecBelievesNoLength(t *testing.T) {
	lie := []byte{codecVersion, 0xff, 0xff, 0xff, 0xff, 0x7f}
	require.Less(t, testing.AllocsPerRun(10, func() { _, _ = decodeResource(lie, "key") }), 5.0)
}

// Whatever the bytes are, the codec does not panic, and what it takes it can write again.
func FuzzDecodeResource(f *testing.F) {
	whole := encodeResource(sampleResource())
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte{})
	f.Add([]byte{codecVersion, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeResource(b, "key")
		if err != nil {
			return
		}
		again, err := decodeResource(encodeResource(r), "key")
		require.NoError(t, err)
		require.Equal(t, r, again)
	})
}

func FuzzDecodePrefixes(f *testing.F) {
	f.Add([]byte{codecVersion, 1, 'e', 1, 1, 1, 'p'})
	f.Fuzz(func(t *testing.T, b []byte) {
		if p := decodePrefixes(b); p != nil {
			for seq := range uint64(5) {
				p.valid("http://a/", &stamp{epoch: p.epoch, seq: seq})
			}
		}
	})
}
