package cachestore

import (
	"crypto/sha256"
	"encoding/binary"
)

// Reason is why bytes were refused by [Decode].
type Reason string

// The reasons, in the order in which they are looked for.
const (
	ReasonShort    Reason = "short"    // shorter than an envelope's header: torn, or something else
	ReasonMagic    Reason = "magic"    // does not begin like an envelope: somebody else's value
	ReasonVersion  Reason = "version"  // written by another version of the format
	ReasonLimit    Reason = "limit"    // claims a part over the format's limits
	ReasonLength   Reason = "length"   // the parts do not add up to the length: truncated, or run together
	ReasonChecksum Reason = "checksum" // damaged
	ReasonKey      Reason = "key"      // a whole entry, of another key
)

// EnvelopeError says why bytes are no entry. To a cache all reasons are the same, a miss and a delete; they are
// told apart for its statistics. It quotes nothing of the bytes.
type EnvelopeError struct {
	Reason Reason
}

func (e *EnvelopeError) Error() string { return "cachestore: not a valid entry: " + string(e.Reason) }

// Is makes errors.Is(err, ErrEnvelope) hold.
func (e *EnvelopeError) Is(target error) bool { return target == ErrEnvelope }

// Decode reads the envelope that [Encode] wrote for key. Anything else is an *[EnvelopeError]: torn, truncated,
// damaged and foreign bytes, other versions, and a whole entry of another key. It never panics.
//
// Meta and Body are parts of data, not copies: data must not change while they are in use. Decode does not look
// at the clock; that an entry has expired is for the caller to see.
//
// The checksum is there against accidents. Whoever can write to the store can also write a valid checksum.
func Decode(data []byte, key string) (Entry, error) {
	if len(data) < headerBytes {
		return Entry{}, &EnvelopeError{ReasonShort}
	}
	if string(data[:len(envelopeMagic)]) != envelopeMagic {
		return Entry{}, &EnvelopeError{ReasonMagic}
	}
	if data[offVersion] != envelopeVersion {
		return Entry{}, &EnvelopeError{ReasonVersion}
	}
	keyLen := uint64(binary.BigEndian.Uint32(data[offKeyLen:]))
	metaLen := uint64(binary.BigEndian.Uint32(data[offMetaLen:]))
	bodyLen := binary.BigEndian.Uint64(data[offBodyLen:])
	if keyLen > MaxKeyBytes || metaLen > MaxMetaBytes || bodyLen > MaxBodyBytes {
		return Entry{}, &EnvelopeError{ReasonLimit}
	}
	rest := data[headerBytes:]
	if keyLen+metaLen+bodyLen != uint64(len(rest)) { // cannot overflow: each is under its limit
		return Entry{}, &EnvelopeError{ReasonLength}
	}
	if checksum(data) != [sha256.Size]byte(data[offChecksum:headerBytes]) {
		return Entry{}, &EnvelopeError{ReasonChecksum}
	}
	if string(rest[:keyLen]) != key {
		return Entry{}, &EnvelopeError{ReasonKey}
	}
	metaEnd := keyLen + metaLen
	return Entry{
		Key:     key,
		Stored:  decodeTime(int64(binary.BigEndian.Uint64(data[offStored:]))),
		Expires: decodeTime(int64(binary.BigEndian.Uint64(data[offExpires:]))),
		Meta:    rest[keyLen:metaEnd:metaEnd],
		Body:    rest[metaEnd:],
	}, nil
}
