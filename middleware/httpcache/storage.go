package httpcache

import (
	"net/textproto"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// storage is the part of the settings that says how answers are kept.
type storage struct {
	inline      int64
	keepStale   time.Duration
	timeout     time.Duration
	purgeWithin time.Duration
	tagHeader   string
}

// storage makes it of a Config.
func (c Config) storage() storage {
	return storage{
		inline: int64(c.InlineBytes), keepStale: c.KeepStale, timeout: c.StoreTimeout, purgeWithin: c.PurgeWithin,
		tagHeader: textproto.CanonicalMIMEHeaderKey(c.TagHeader),
	}
}

func (c Config) checkStorage(p *middleware.Problems) {
	p.Check(c.InlineBytes >= 0 && c.InlineBytes <= middleware.MiB, "inline_bytes",
		"%v is out of range; it can be from 0 to 1MiB", c.InlineBytes)
	p.Check(c.KeepStale >= 0, "keep_stale", "%v is negative; 0 forgets an answer when it is stale", c.KeepStale)
	p.Check(c.StoreTimeout > 0, "store_timeout", "%v is no time at all; write for example 500ms", c.StoreTimeout)
	p.Check(c.PurgeWithin >= 0, "purge_within", "%v is negative; 0 asks the store at every hit", c.PurgeWithin)
	p.Check(c.TagHeader == "" || tokenEnd(c.TagHeader) == len(c.TagHeader), "tag_header", "%q is no name of a header field", c.TagHeader)
	p.Check(c.MaxRecordingBytes >= c.MaxEntryBytes, "max_recording_bytes",
		"%v is less than max_entry_bytes (%v), so that no answer of that size could be recorded", c.MaxRecordingBytes, c.MaxEntryBytes)
}
