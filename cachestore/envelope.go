package cachestore

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// Limits of the format. They are what a decoder believes at most, not what a store should hold: stores have
// bounds of their own.
const (
	MaxKeyBytes  = 64 << 10 // 64 KiB
	MaxMetaBytes = 4 << 20  // 4 MiB
	MaxBodyBytes = 1 << 30  // 1 GiB
)

// The layout, all integers big-endian. The checksum covers everything before and after itself.
const (
	envelopeMagic   = "HGCE"
	envelopeVersion = 1

	offVersion  = 4  // 1 byte, then 3 reserved bytes, zero
	offKeyLen   = 8  // uint32
	offMetaLen  = 12 // uint32
	offBodyLen  = 16 // uint64
	offStored   = 24 // int64, Unix nanoseconds
	offExpires  = 32 // int64, Unix nanoseconds
	offChecksum = 40 // SHA-256
	headerBytes = offChecksum + sha256.Size

	noTime = math.MinInt64 // how the zero time.Time is written
)

// Entry is what an envelope carries.
type Entry struct {
	// Key is the full key, which [Decode] compares: a store's own key may be a hash.
	Key string
	// Stored is when the entry was made, to the nanosecond, between the years 1678 and 2262. May be zero.
	Stored time.Time
	// Expires is when the entry has to be gone. Zero is never. It is absolute, so that it holds whatever the store
	// does with its TTL, and it is not HTTP freshness: that is the cache's business and part of Meta.
	Expires time.Time
	// Meta is opaque to this package: status, headers, times, in whatever form the cache writes them.
	Meta []byte
	// Body is the content.
	Body []byte
}

// Encode writes e as one envelope. The result shares no memory with e. An entry over the format's limits is a
// *[TooLargeError].
func Encode(e Entry) ([]byte, error) {
	if err := checkSizes(len(e.Key), len(e.Meta), len(e.Body)); err != nil {
		return nil, err
	}
	stored, err := encodeTime("Stored", e.Stored)
	if err != nil {
		return nil, err
	}
	expires, err := encodeTime("Expires", e.Expires)
	if err != nil {
		return nil, err
	}

	out := make([]byte, headerBytes, headerBytes+len(e.Key)+len(e.Meta)+len(e.Body))
	copy(out, envelopeMagic)
	out[offVersion] = envelopeVersion
	binary.BigEndian.PutUint32(out[offKeyLen:], uint32(len(e.Key)))
	binary.BigEndian.PutUint32(out[offMetaLen:], uint32(len(e.Meta)))
	binary.BigEndian.PutUint64(out[offBodyLen:], uint64(len(e.Body)))
	binary.BigEndian.PutUint64(out[offStored:], uint64(stored))
	binary.BigEndian.PutUint64(out[offExpires:], uint64(expires))
	out = append(out, e.Key...)
	out = append(out, e.Meta...)
	out = append(out, e.Body...)
	sum := checksum(out)
	copy(out[offChecksum:], sum[:])
	return out, nil
}

func checkSizes(key, meta, body int) error {
	for _, part := range []struct {
		what        string
		size, limit int
	}{
		{"key", key, MaxKeyBytes},
		{"metadata", meta, MaxMetaBytes},
		{"body", body, MaxBodyBytes},
	} {
		if part.size > part.limit {
			return &TooLargeError{What: part.what, Size: int64(part.size), Limit: int64(part.limit)}
		}
	}
	return nil
}

// checksum hashes an envelope without its checksum field.
func checksum(envelope []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write(envelope[:offChecksum])
	h.Write(envelope[headerBytes:])
	h.Sum(sum[:0])
	return sum
}

func encodeTime(field string, t time.Time) (int64, error) {
	if t.IsZero() {
		return noTime, nil
	}
	nanos := t.UnixNano()
	if nanos == noTime || !time.Unix(0, nanos).Equal(t) {
		return 0, fmt.Errorf("cachestore: %s in the year %d: want a time between 1678 and 2262", field, t.Year())
	}
	return nanos, nil
}

func decodeTime(nanos int64) time.Time {
	if nanos == noTime {
		return time.Time{}
	}
	return time.Unix(0, nanos)
}
