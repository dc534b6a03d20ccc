package llm

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/headgate-go/headgate/middleware"
)

// KeyStats is what came of the requests for one model at an authority.
type KeyStats struct {
	Key       string `json:"key"`       // authority and model
	Requests  uint64 `json:"requests"`  // that went upstream
	Disguised uint64 `json:"disguised"` // errors that came as a success
	Empty     uint64 `json:"empty"`     // successes without an answer
	Cut       uint64 `json:"cut"`       // answers that ended before they were complete
	Failed    uint64 `json:"failed"`    // answers with an error in the middle
	Input     uint64 `json:"input"`     // tokens of prompts, as told
	Cached    uint64 `json:"cached"`    // of these, from the provider's cache
	Output    uint64 `json:"output"`    // tokens of answers, as told
	Wasted    uint64 `json:"wasted"`    // tokens of answers that nobody read to the end, as told or estimated
}

type counts struct {
	key                                                                    string
	requests, disguised, empty, cut, failed, input, cached, output, wasted atomic.Uint64
}

// Stats is a snapshot, a line for each key, sorted by key.
func (l *LLM) Stats() []KeyStats {
	var all []KeyStats
	l.counts.Range(func(_ string, c *counts) { all = append(all, c.stats()) })
	slices.SortFunc(all, func(a, b KeyStats) int { return strings.Compare(a.Key, b.Key) })
	return all
}

func (c *counts) stats() KeyStats {
	return KeyStats{
		Key: c.key, Requests: c.requests.Load(), Disguised: c.disguised.Load(), Empty: c.empty.Load(), Cut: c.cut.Load(), Failed: c.failed.Load(),
		Input: c.input.Load(), Cached: c.cached.Load(), Output: c.output.Load(), Wasted: c.wasted.Load(),
	}
}

// answer counts an answer that was let go.
func (c *counts) answer(r *reading, u middleware.Usage, wasted int) {
	switch r.fault {
	case faultError:
		c.failed.Add(1)
	case faultCut, faultEmpty:
		c.cut.Add(1)
	}
	c.input.Add(uint64(u.Input))
	c.cached.Add(uint64(u.Cached))
	c.output.Add(uint64(u.Output))
	c.wasted.Add(uint64(wasted))
}
