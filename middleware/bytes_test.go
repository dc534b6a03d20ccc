package middleware_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/headgate-go/headgate/middleware"
)

func TestBytesReadsSizes(t *testing.T) {
	for text, want := range map[string]middleware.Bytes{
		"0": 0, "17": 17, "17B": 17, "+17": 17,
		"1KiB": 1024, "64MiB": 64 << 20, "2GiB": 2 << 30, "3TiB": 3 << 40,
		"1KB": 1000, "5MB": 5e6, "7GB": 7e9, "1TB": 1e12,
		"1.5GiB": 3 << 29, "0.5KiB": 512, "2.5KB": 2500, "1.0B": 1,
		" 64 MiB ":                64 << 20,
		"9223372036854775807":     math.MaxInt64,
		"9223372036854775807B":    math.MaxInt64,
		"9007199254740991KiB":     9007199254740991 << 10,
		"9007199254740990KiB":     9007199254740990 << 10,
		"8796093022207MiB":        8796093022207 << 20,
		"9223372036854775KB":      9223372036854775000,
		"4503599627370497.0KiB":   4503599627370497 << 10,
		"0.000001TB":              1000000,
		"00000000000000000000001": 1,
	} {
		var b middleware.Bytes
		require.NoError(t, b.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, b, text)
	}
}

func TestBytesRefusesWhatIsNoSize(t *testing.T) {
	for _, text := range []string{
		"", " ", "B", "MiB", "-1", "-1KiB", "1.5", "1.5B", "0.3KiB", "64mib", "64M", "64 MiB x", "1,5GiB", "abc",
		"NaN", "Inf", "-Inf", "1e3", "1E3KiB", "0x10", "0x1p4", "1_000", "9223372036854775808", "8388608TiB", "9e99TiB", "1KiBB",
	} {
		b := middleware.Bytes(7)
		err := b.UnmarshalText([]byte(text))
		require.Error(t, err, text)
		require.Contains(t, err.Error(), "write for example 64MiB", text)
		require.EqualValues(t, 7, b, "is left alone")
	}
	var b middleware.Bytes
	require.Less(t, len(b.UnmarshalText(make([]byte, 1<<20)).Error()), 500, "a long text does not make a long error")
}

func TestBytesWritesTheLargestUnitThatDivides(t *testing.T) {
	for b, want := range map[middleware.Bytes]string{
		0: "0B", 1: "1B", 1023: "1023B", middleware.KiB: "1KiB", 1025: "1025B", 1536: "1536B",
		64 * middleware.MiB: "64MiB", 1000: "1000B", 3 << 29: "1536MiB", middleware.GiB: "1GiB", 2048 * middleware.TiB: "2048TiB",
		-middleware.KiB: "-1KiB", math.MaxInt64: "9223372036854775807B",
	} {
		require.Equal(t, want, b.String())
	}
	text, err := json.Marshal(map[string]middleware.Bytes{"max": 64 * middleware.MiB})
	require.NoError(t, err)
	require.JSONEq(t, `{"max": "64MiB"}`, string(text))
}

func TestBytesReadsWhatItWrote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Many trailing zero bits, so that all units come up.
		b := middleware.Bytes(rapid.Int64Range(0, math.MaxInt64).Draw(t, "b") >> rapid.IntRange(0, 62).Draw(t, "right"))
		if zeros := rapid.IntRange(0, 45).Draw(t, "zeros"); b <= math.MaxInt64>>zeros {
			b <<= zeros
		}
		text, err := b.MarshalText()
		require.NoError(t, err)
		var again middleware.Bytes
		require.NoError(t, again.UnmarshalText(text), "%s", text)
		require.Equal(t, b, again, "%s", text)
	})
}

func FuzzBytes(f *testing.F) {
	for _, seed := range []string{"0", "64MiB", "1.5GiB", "-1", "1e3", "NaN", "9007199254740993KiB", "9223372036854775807"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var b, again middleware.Bytes
		if b.UnmarshalText([]byte(text)) != nil {
			return
		}
		if b < 0 {
			t.Fatalf("%q: %d", text, b)
		}
		if err := again.UnmarshalText([]byte(b.String())); err != nil || again != b {
			t.Fatalf("%q: %d is written %v and read as %d, %v", text, b, b, again, err)
		}
	})
}
