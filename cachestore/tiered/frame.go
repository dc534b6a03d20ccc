package tiered

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/headgate-go/headgate/cachestore/internal/taglist"
)

// frame is a value as the tiers hold it: it says itself when it ends and what tags it has, because a tier that it is
// copied to has to know, and stores round TTLs or cannot tell them.
//
//	version (1 byte), end (8, Unix nanoseconds), length of the tags (4), tags, value
type frame []byte

const (
	frameVersion = 1
	frameHeader  = 1 + 8 + 4
	never        = math.MaxInt64
)

func newFrame(value []byte, expires time.Time, tags []string) frame {
	list := taglist.Encode(tags)
	end := int64(never)
	if !expires.IsZero() {
		end = expires.UnixNano()
	}
	f := make(frame, 0, frameHeader+len(list)+len(value))
	f = append(f, frameVersion)
	f = binary.BigEndian.AppendUint64(f, uint64(end))
	f = binary.BigEndian.AppendUint32(f, uint32(len(list)))
	f = append(f, list...)
	return append(f, value...)
}

// valid tells whether it is a frame at all.
func (f frame) valid() bool {
	return len(f) >= frameHeader && f[0] == frameVersion && uint64(f.tagBytes()) <= uint64(len(f)-frameHeader)
}

func (f frame) tagBytes() uint32 { return binary.BigEndian.Uint32(f[9:]) }
func (f frame) tags() []string   { return taglist.Decode(f[frameHeader : frameHeader+int(f.tagBytes())]) }
func (f frame) value() []byte    { return f[frameHeader+int(f.tagBytes()):] }

// left is the rest of its life: zero if it has no end, negative if it is over, or if there is no frame.
func (f frame) left() time.Duration {
	if f == nil {
		return -1
	}
	end := int64(binary.BigEndian.Uint64(f[1:]))
	if end == never {
		return 0
	}
	if left := time.Until(time.Unix(0, end)); left > 0 {
		return left
	}
	return -1
}
