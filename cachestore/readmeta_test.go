package cachestore_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore"
)

func TestReadMetaReadsNoFurtherThanTheMetadata(t *testing.T) {
	data := encode(t, cachestore.Entry{Key: "key", Meta: []byte("meta"), Body: []byte("body")})
	r := bytes.NewReader(data)
	meta, err := cachestore.ReadMeta(r)
	require.NoError(t, err)
	require.Equal(t, "meta", string(meta))
	require.Equal(t, len("body"), r.Len())
}

func TestReadMetaRefusesWhatIsNoEnvelope(t *testing.T) {
	whole := encode(t, cachestore.Entry{Key: "key", Meta: []byte("meta")})
	for end := range len(whole) {
		_, err := cachestore.ReadMeta(bytes.NewReader(whole[:end]))
		require.Error(t, err)
		require.True(t, err == io.EOF || err == io.ErrUnexpectedEOF, "%d bytes: %v", end, err)
	}
	for name, change := range map[string]struct {
		at     int
		value  byte
		reason cachestore.Reason
	}{
		"foreign":         {0, 'X', cachestore.ReasonMagic},
		"another version": {4, 9, cachestore.ReasonVersion},
		"a huge key":      {8, 0x7f, cachestore.ReasonLimit},
		"huge metadata":   {12, 0x7f, cachestore.ReasonLimit},
	} {
		t.Run(name, func(t *testing.T) {
			data := bytes.Clone(whole)
			data[change.at] = change.value
			_, err := cachestore.ReadMeta(bytes.NewReader(data))
			var typed *cachestore.EnvelopeError
			require.ErrorAs(t, err, &typed)
			require.Equal(t, change.reason, typed.Reason)
		})
	}
}
