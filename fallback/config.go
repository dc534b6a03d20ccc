package fallback

import (
	"fmt"
	"slices"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// Config is the stage's settings.
type Config struct {
	// On is what the stage acts on: "exhausted", "pushback", "busy", "failure" and
	// "rejected". Default all of them.
	On []Reason `yaml:"on"`
	// Answers are tried in order until one can be given. Default none: the stage
	// does nothing.
	Answers []AnswerConfig `yaml:"answers"`
	// MaxAway bounds how long a primary that asked to stay away (a 429 with a hint,
	// a quota that is used up) is not asked, where an upstream is among the answers;
	// 0 asks it for every call. Default 5m.
	MaxAway time.Duration `yaml:"max_away"`
	// Margin is how long before the caller's deadline the wait for the upstream, or
	// for an answer that needs time, ends, so that the next one still reaches the
	// caller; of a short deadline it is a tenth at most. 0 waits until the deadline.
	// Default 20ms.
	Margin time.Duration `yaml:"margin"`
	// ReplayBuffer bounds what is kept of a request's body that has no GetBody,
	// for answers that need it; 0 keeps nothing. Default 64KiB.
	ReplayBuffer middleware.Bytes `yaml:"replay_buffer"`
	// KeepResponse bounds what is read ahead of the failed response's body, so that
	// its connection and permits are free while answers are tried; 0 reads nothing.
	// What is longer stays open, and readable if no answer can be given. Default 64KiB.
	KeepResponse middleware.Bytes `yaml:"keep_response"`
	// KeepTime bounds how long that reading may take. A body that is slower is
	// cut there. Default 250ms.
	KeepTime time.Duration `yaml:"keep_time"`
}

// AnswerConfig is one answer: exactly one of its settings is set.
type AnswerConfig struct {
	// Static is a fixed response. Default none.
	Static *Static `yaml:"static"`
	// Stale is the last good answer to the same request, from the cache stage of
	// the pipeline. Default none.
	Stale *Stale `yaml:"stale"`
	// Func is the name of an answer that the application has given with
	// WithAnswer. Default none.
	Func string `yaml:"func"`
	// Upstream is another upstream. Default none.
	Upstream *Upstream `yaml:"upstream"`
}

// DefaultConfig acts on everything and has no answers: the stage does nothing
// until some are configured.
func DefaultConfig() Config {
	return Config{
		On:           Reasons(),
		MaxAway:      5 * time.Minute,
		Margin:       20 * time.Millisecond,
		ReplayBuffer: 64 * middleware.KiB,
		KeepResponse: 64 * middleware.KiB,
		KeepTime:     250 * time.Millisecond,
	}
}

// Validate reports everything that is wrong. Whether a func exists is for New to say.
func (c Config) Validate() error {
	var p middleware.Problems
	p.Check(len(c.On) > 0, "on", "the list is empty, so the stage would act on nothing; it can hold %v", Reasons())
	for i, r := range c.On {
		key := fmt.Sprintf("on[%d]", i)
		p.Check(slices.Contains(Reasons(), r), key, "%.40q is unknown; it can be one of %v", r, Reasons())
		p.Check(!slices.Contains(c.On[:i], r), key, "%.40q is in the list twice; once is enough", r)
	}
	names, sure := make(map[string]bool), false
	for i, a := range c.Answers {
		key := fmt.Sprintf("answers[%d]", i)
		p.Check(!sure, key, "it is never tried, because the static answer before it always succeeds; put the static answer last")
		sure = sure || a.Static != nil
		a.validate(&p, key)
		if a.Func != "" {
			p.Check(!names[a.Func], key+".func", "%.40q is in the list twice; a second try would follow at once", a.Func)
			names[a.Func] = true
		}
		if a.Upstream != nil && a.Upstream.Name != "" {
			p.Check(!names[a.Upstream.Name], key+".upstream.name", "%.40q is in the list twice; give each answer a name of its own", a.Upstream.Name)
			names[a.Upstream.Name] = true
		}
		p.Check(a.Stale == nil || !names[staleName], key+".stale", "it is in the list twice; what is not stored is not stored at the second look")
		names[staleName] = names[staleName] || a.Stale != nil
	}
	p.Check(c.MaxAway >= 0, "max_away", "%v is negative; 0 asks the primary for every call", c.MaxAway)
	p.Check(c.Margin >= 0, "margin", "%v is negative; 0 waits until the deadline", c.Margin)
	p.Check(c.ReplayBuffer >= 0, "replay_buffer", "%d is negative; 0 keeps no body", int64(c.ReplayBuffer))
	p.Check(c.KeepResponse >= 0, "keep_response", "%d is negative; 0 reads nothing", int64(c.KeepResponse))
	p.Check(c.KeepTime > 0, "keep_time", "%v leaves no time to read; write for example 250ms", c.KeepTime)
	return p.Err()
}

func (a AnswerConfig) validate(p *middleware.Problems, key string) {
	set := 0
	for _, is := range [...]bool{a.Static != nil, a.Stale != nil, a.Upstream != nil, a.Func != ""} {
		if is {
			set++
		}
	}
	switch {
	case set == 0:
		p.Check(false, key, "the answer is empty; it needs static, stale, upstream or func")
	case set > 1:
		p.Check(false, key, "there are %d answers in one; make each an item of the list", set)
	case a.Stale != nil:
		a.Stale.validate(p, key+".stale")
	case a.Static != nil:
		a.Static.validate(p, key+".static")
	case a.Upstream != nil:
		a.Upstream.validate(p, key+".upstream")
	default:
		p.Check(isName(a.Func), key+".func", "%.40q is not a name; it is made of letters, digits and _ . -, and begins with a letter", a.Func)
	}
}
