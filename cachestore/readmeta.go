package cachestore

import (
	"encoding/binary"
	"io"
)

// ReadMeta reads the metadata of an envelope from its beginning, as far as that, and checks nothing but the format:
// the checksum is over the whole. It is for those that look through many entries and need not read their bodies. What
// is no envelope of this version is an *[EnvelopeError], one that ends early is io.ErrUnexpectedEOF or io.EOF.
func ReadMeta(r io.Reader) ([]byte, error) {
	var header [headerBytes]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, err
	}
	if string(header[:len(envelopeMagic)]) != envelopeMagic {
		return nil, &EnvelopeError{ReasonMagic}
	}
	if header[offVersion] != envelopeVersion {
		return nil, &EnvelopeError{ReasonVersion}
	}
	keyLen := binary.BigEndian.Uint32(header[offKeyLen:])
	metaLen := binary.BigEndian.Uint32(header[offMetaLen:])
	if keyLen > MaxKeyBytes || metaLen > MaxMetaBytes {
		return nil, &EnvelopeError{ReasonLimit}
	}
	if _, err := io.CopyN(io.Discard, r, int64(keyLen)); err != nil {
		return nil, err
	}
	meta := make([]byte, metaLen)
	_, err := io.ReadFull(r, meta)
	return meta, err
}
