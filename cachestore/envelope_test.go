package cachestore_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/headgate-go/headgate/cachestore"
)

func sample() cachestore.Entry {
	return cachestore.Entry{
		Key:     "GET https://example.com/a",
		Stored:  time.Unix(1_700_000_000, 123_456_789),
		Expires: time.Unix(1_700_003_600, 0),
		Meta:    []byte("status and headers"),
		Body:    []byte("the body"),
	}
}

func encode(t testing.TB, e cachestore.Entry) []byte {
	t.Helper()
	data, err := cachestore.Encode(e)
	require.NoError(t, err)
	return data
}

func reasonOf(t testing.TB, err error) cachestore.Reason {
	t.Helper()
	require.ErrorIs(t, err, cachestore.ErrEnvelope)
	var typed *cachestore.EnvelopeError
	require.ErrorAs(t, err, &typed)
	return typed.Reason
}

// seal sets the checksum anew, so that a test reaches what is behind it.
func seal(data []byte) []byte {
	h := sha256.New()
	h.Write(data[:40])
	h.Write(data[72:])
	h.Sum(data[40:40])
	return data
}

func equalEntries(t require.TestingT, want, got cachestore.Entry) {
	require.Equal(t, want.Key, got.Key)
	require.True(t, want.Stored.Equal(got.Stored), "%s %s", want.Stored, got.Stored)
	require.True(t, want.Expires.Equal(got.Expires), "%s %s", want.Expires, got.Expires)
	require.True(t, bytes.Equal(want.Meta, got.Meta))
	require.True(t, bytes.Equal(want.Body, got.Body))
}

func TestEnvelopeLayout(t *testing.T) {
	data := encode(t, sample())
	require.Equal(t, "HGCE\x01\x00\x00\x00", string(data[:8]))
	require.EqualValues(t, 25, binary.BigEndian.Uint32(data[8:]))
	require.EqualValues(t, 18, binary.BigEndian.Uint32(data[12:]))
	require.EqualValues(t, 8, binary.BigEndian.Uint64(data[16:]))
	require.EqualValues(t, 1_700_000_000_123_456_789, binary.BigEndian.Uint64(data[24:]))
	require.EqualValues(t, 1_700_003_600_000_000_000, binary.BigEndian.Uint64(data[32:]))
	require.Equal(t, "GET https://example.com/astatus and headersthe body", string(data[72:]))
	require.Equal(t, data, seal(bytes.Clone(data)))
}

func TestEnvelopeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		moment := rapid.Custom(func(t *rapid.T) time.Time {
			if rapid.Bool().Draw(t, "zero") {
				return time.Time{}
			}
			return time.Unix(0, rapid.Int64Range(math.MinInt64+1, math.MaxInt64).Draw(t, "nanos"))
		})
		want := cachestore.Entry{
			Key:     rapid.String().Draw(t, "key"),
			Stored:  moment.Draw(t, "stored"),
			Expires: moment.Draw(t, "expires"),
			Meta:    rapid.SliceOf(rapid.Byte()).Draw(t, "meta"),
			Body:    rapid.SliceOf(rapid.Byte()).Draw(t, "body"),
		}
		data, err := cachestore.Encode(want)
		require.NoError(t, err)
		got, err := cachestore.Decode(data, want.Key)
		require.NoError(t, err)
		equalEntries(t, want, got)

		_, err = cachestore.Decode(data, want.Key+"x")
		require.ErrorIs(t, err, cachestore.ErrEnvelope)
		cut := rapid.IntRange(0, len(data)-1).Draw(t, "cut")
		_, err = cachestore.Decode(data[:cut], want.Key)
		require.ErrorIs(t, err, cachestore.ErrEnvelope)
	})
}

func TestEveryFlippedBitIsNoticed(t *testing.T) {
	want := sample()
	data := encode(t, want)
	for i := range len(data) * 8 {
		data[i/8] ^= 1 << (i % 8)
		_, err := cachestore.Decode(data, want.Key)
		require.ErrorIs(t, err, cachestore.ErrEnvelope, "bit %d of byte %d", i%8, i/8)
		data[i/8] ^= 1 << (i % 8)
	}
	_, err := cachestore.Decode(data, want.Key)
	require.NoError(t, err)
}

func TestDecodeRefusals(t *testing.T) {
	whole := encode(t, sample())
	change := func(f func(data []byte)) []byte {
		data := bytes.Clone(whole)
		f(data)
		return seal(data)
	}
	for name, test := range map[string]struct {
		data []byte
		want cachestore.Reason
	}{
		"nothing":                     {nil, cachestore.ReasonShort},
		"a torn header":               {whole[:71], cachestore.ReasonShort},
		"a header alone":              {whole[:72], cachestore.ReasonLength},
		"a torn body":                 {whole[:len(whole)-1], cachestore.ReasonLength},
		"something behind":            {append(bytes.Clone(whole), 0), cachestore.ReasonLength},
		"two run together":            {append(bytes.Clone(whole), whole...), cachestore.ReasonLength},
		"zeros":                       {make([]byte, 200), cachestore.ReasonMagic},
		"somebody's JSON":             {[]byte(`{"status":200,"body":"` + strings.Repeat("x", 100) + `"}`), cachestore.ReasonMagic},
		"an older version":            {change(func(d []byte) { d[4] = 0 }), cachestore.ReasonVersion},
		"a newer version":             {change(func(d []byte) { d[4] = 2 }), cachestore.ReasonVersion},
		"a key over the limit":        {change(func(d []byte) { binary.BigEndian.PutUint32(d[8:], cachestore.MaxKeyBytes+1) }), cachestore.ReasonLimit},
		"metadata over the limit":     {change(func(d []byte) { binary.BigEndian.PutUint32(d[12:], cachestore.MaxMetaBytes+1) }), cachestore.ReasonLimit},
		"a body over the limit":       {change(func(d []byte) { binary.BigEndian.PutUint64(d[16:], cachestore.MaxBodyBytes+1) }), cachestore.ReasonLimit},
		"lengths that wrap around":    {change(func(d []byte) { binary.BigEndian.PutUint64(d[16:], math.MaxUint64-42) }), cachestore.ReasonLimit},
		"a body longer than there is": {change(func(d []byte) { binary.BigEndian.PutUint64(d[16:], 9) }), cachestore.ReasonLength},
		"a damaged body":              {append(bytes.Clone(whole[:len(whole)-1]), '!'), cachestore.ReasonChecksum},
		"another key":                 {change(func(d []byte) { d[72] = 'g' }), cachestore.ReasonKey},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cachestore.Decode(test.data, sample().Key)
			require.Equal(t, test.want, reasonOf(t, err))
			require.EqualError(t, err, "cachestore: not a valid entry: "+string(test.want))
		})
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	e := sample()
	e.Body = make([]byte, 1<<20)
	data := encode(t, e)
	require.Zero(t, testing.AllocsPerRun(10, func() {
		if _, err := cachestore.Decode(data, e.Key); err != nil {
			t.Error(err)
		}
	}))
}

func TestPartsOfADecodedEntryCannotGrowIntoEachOther(t *testing.T) {
	e, err := cachestore.Decode(encode(t, sample()), sample().Key)
	require.NoError(t, err)
	_ = append(e.Meta, "overwritten"...)
	require.Equal(t, "the body", string(e.Body))
}

func TestEncodeRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		entry cachestore.Entry
		want  string
	}{
		"a key over the limit":    {cachestore.Entry{Key: strings.Repeat("k", cachestore.MaxKeyBytes+1)}, "key of 65537 bytes: want at most 65536"},
		"metadata over the limit": {cachestore.Entry{Meta: make([]byte, cachestore.MaxMetaBytes+1)}, "metadata of 4194305 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cachestore.Encode(test.entry)
			require.ErrorIs(t, err, cachestore.ErrTooLarge)
			require.ErrorContains(t, err, test.want)
		})
	}
	require.NoError(t, cachestore.CheckSizes(cachestore.MaxKeyBytes, cachestore.MaxMetaBytes, cachestore.MaxBodyBytes))
	require.EqualError(t, cachestore.CheckSizes(0, 0, cachestore.MaxBodyBytes+1),
		"cachestore: body of 1073741825 bytes: want at most 1073741824")
	for _, year := range []int{1600, 2300} {
		at := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		_, err := cachestore.Encode(cachestore.Entry{Stored: at})
		require.ErrorContains(t, err, "Stored in the year")
		_, err = cachestore.Encode(cachestore.Entry{Expires: at})
		require.ErrorContains(t, err, "Expires in the year")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, sample()), sample().Key, false)
	f.Add(encode(f, cachestore.Entry{}), "", false)
	f.Add([]byte("HGCE"), "k", true)
	f.Fuzz(func(t *testing.T, data []byte, key string, reseal bool) {
		if reseal && len(data) >= 72 {
			seal(data) // past the checksum, which guesses would never pass
		}
		before := bytes.Clone(data)
		e, err := cachestore.Decode(data, key)
		require.Equal(t, before, data, "Decode changed its input")
		if err != nil {
			reasonOf(t, err)
			return
		}
		require.Equal(t, key, e.Key)
		again := encode(t, e)
		back, err := cachestore.Decode(again, key)
		require.NoError(t, err)
		equalEntries(t, e, back)
	})
}

func BenchmarkEnvelope(b *testing.B) {
	for name, size := range map[string]int{"1KiB": 1 << 10, "64KiB": 64 << 10, "1MiB": 1 << 20} {
		e := sample()
		e.Body = make([]byte, size)
		data := encode(b, e)
		b.Run("encode/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = cachestore.Encode(e)
			}
		})
		b.Run("decode/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = cachestore.Decode(data, e.Key)
			}
		})
	}
}
