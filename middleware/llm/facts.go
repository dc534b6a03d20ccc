package llm

import "strconv"

// maxText bounds what is kept of a text.
const maxText = 1024

// facts are what a document said at the paths of a profile.
type facts struct {
	known   bool // a member of the document is on one of the paths
	content bool
	done    bool
	answer  bool
	failed  bool
	texts   [roles - firstText][]byte
	written bool // something is in texts
	tokens  tokens
	counted bool // tokens were told
}

// tokens are what an upstream tells of its usage.
type tokens struct{ input, output, more, cached, cacheRead, cacheWrite, most int }

// reset forgets the document, but not the tokens: usage comes in parts.
func (f *facts) reset() {
	f.known, f.content, f.done, f.answer, f.failed = false, false, false, false, false
	if f.written {
		for i := range f.texts {
			f.texts[i] = f.texts[i][:0]
		}
		f.written = false
	}
}

func (f *facts) text(r role) string { return string(f.texts[r-firstText]) }

// is compares a text without a copy.
func (f *facts) is(r role, text string) bool { return string(f.texts[r-firstText]) == text }

// write adds to a text, up to the bound.
func (f *facts) write(r role, p []byte) {
	t := &f.texts[r-firstText]
	*t = append(*t, p[:min(len(p), maxText-len(*t))]...)
	f.written = true
}

// there notes that the value with the role is not empty.
func (f *facts) there(r role) {
	switch r {
	case roleContent:
		f.content = true
	case roleDone, roleFinish:
		f.done = true
	case roleAnswer:
		f.answer = true
	case roleError:
		f.failed = true
	}
}

// number notes a number.
func (f *facts) number(r role, digits []byte) {
	n, err := strconv.Atoi(string(digits))
	if err != nil || n < 0 || n > maxTokens {
		return
	}
	switch t := &f.tokens; r {
	case roleInput:
		t.input = n
	case roleOutput:
		t.output = n
	case roleMoreOutput:
		t.more = n
	case roleCached:
		t.cached = n
	case roleCacheRead:
		t.cacheRead = n
	case roleCacheWrite:
		t.cacheWrite = n
	case roleMaxTokens:
		t.most = n
		return
	default:
		return
	}
	f.counted = true
}

// maxTokens bounds what is believed of one answer.
const maxTokens = 1_000_000_000
