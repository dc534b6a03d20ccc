package llm

// reading is what is known of an answer that is being read.
type reading struct {
	doc      scanner // of the document, or of the event that is being read
	strict   bool    // an answer has to come
	began    bool    // there was more than keep-alives
	progress bool    // content has come since somebody looked
	ready    bool    // the answer has begun: the response can go on
	done     bool    // the answer is complete
	deltas   int     // events with content
	fault    fault
	told     report // by the upstream, of its fault
}

// fault is what is wrong with an answer.
type fault uint8

const (
	faultless fault = iota
	faultError
	faultEmpty
	faultCut
)

// report is what an upstream says of an error. Its texts stay within the stage:
// a message can repeat the prompt.
type report struct{ code, kind, detail, message, retryDelay, quota string }

func (f *facts) report() report {
	kind := f.text(roleErrorType)
	if kind == "" {
		kind = f.text(roleType)
	}
	return report{
		code: f.text(roleErrorCode), kind: kind, detail: f.text(roleErrorDetail),
		message: f.text(roleMessage), retryDelay: f.text(roleRetryDelay), quota: f.text(roleQuota),
	}
}

// format reads the bytes of an answer.
type format interface {
	// feed reads the next piece of the body. It moves what is to be passed on to
	// the front of p and returns its length: all but keep-alives.
	feed(p []byte) int
	// end says that the body is at its end.
	end()
	// read is what is known by now.
	read() *reading
}
