package llm

import "strings"

// role is what a value in an upstream's JSON says.
type role uint8

const (
	roleNone    role = iota
	roleContent      // what the user waits for, unless it is empty
	roleDone         // the answer is complete, unless it is null
	roleAnswer       // stands in answers and not in errors
	roleError        // an error, unless it is null
	// Numbers.
	roleInput      // tokens of the prompt, cached ones included
	roleOutput     // tokens of the answer
	roleMoreOutput // tokens of the answer beside those
	roleCached     // tokens of the prompt that came from the provider's cache
	roleCacheRead  // the same, but not part of roleInput
	roleCacheWrite // tokens of the prompt that went into the cache, not part of roleInput
	roleMaxTokens  // the most tokens that the answer may have
	// Texts.
	roleFinish    // a roleDone whose text is of interest
	roleType      // the kind of a message
	roleErrorType // an error's type
	roleErrorCode // an error's code, a text or a number
	roleErrorDetail
	roleMessage    // an error's text
	roleRetryDelay // when to come back
	roleQuota      // which quota was used up
	roleStream
	roles
)

const firstText = roleFinish

// paths is a set of paths into JSON documents, as a tree: "choices.delta.content"
// is a member of an object in an object. Arrays don't show in a path.
type paths struct{ nodes []node }

// node 0 leads nowhere, node 1 is the document.
type node struct {
	role     role
	children []child
}

type child struct {
	key  string
	node uint8
}

const (
	nowhere = 0
	root    = 1
)

func newPaths() *paths { return &paths{nodes: make([]node, 2, 64)} }

// add gives the value at path a role. There is room for 255 values.
func (p *paths) add(r role, path string) bool {
	at := uint8(root)
	for key := range strings.SplitSeq(path, ".") {
		next := p.find(at, key)
		if next == nowhere {
			if len(p.nodes) > 255 {
				return false
			}
			next = uint8(len(p.nodes))
			p.nodes = append(p.nodes, node{})
			p.nodes[at].children = append(p.nodes[at].children, child{key, next})
		}
		at = next
	}
	p.nodes[at].role = r
	return true
}

func (p *paths) find(at uint8, key string) uint8 {
	for _, c := range p.nodes[at].children {
		if c.key == key {
			return c.node
		}
	}
	return nowhere
}

// lookup is find for bytes, without a copy of them.
func (p *paths) lookup(at uint8, key []byte) uint8 {
	for i := range p.nodes[at].children {
		if c := &p.nodes[at].children[i]; len(c.key) == len(key) && c.key == string(key) {
			return c.node
		}
	}
	return nowhere
}
