package llm

import (
	"net/http"

	"github.com/headgate-go/headgate/middleware"
)

// newRequestPaths is where requests have what is of interest.
func newRequestPaths() *paths {
	p := newPaths()
	p.add(roleStream, "stream")
	for _, at := range []string{"max_tokens", "max_completion_tokens", "max_output_tokens", "generationConfig.maxOutputTokens"} {
		p.add(roleMaxTokens, at)
	}
	return p
}

// inspect tells of a request what its body says. It reads the body
// through GetBody; of a request without it, the length is all that is known.
func (c *settings) inspect(p *paths, req *http.Request) middleware.RequestInfo {
	s := scanner{paths: p}
	s.reset()
	size := req.ContentLength
	if req.GetBody != nil && req.Body != nil && req.Body != http.NoBody && c.RequestBytes > 0 {
		if n := c.scanRequest(&s, req); size < 0 {
			size = n
		}
	}
	info := middleware.RequestInfo{Stream: s.facts.is(roleStream, "true")}
	if size > 0 {
		output := c.OutputTokens
		if most := s.facts.tokens.most; most > 0 {
			output = min(output, most)
		}
		info.Units = int(min(float64(size)/c.BytesPerToken, maxTokens)) + output
	}
	return info
}

func (c *settings) scanRequest(s *scanner, req *http.Request) (size int64) {
	body, err := req.GetBody()
	if err != nil {
		return 0
	}
	defer body.Close()
	var buf [firstRead]byte
	for size < int64(c.RequestBytes) {
		n, err := body.Read(buf[:min(int64(len(buf)), int64(c.RequestBytes)-size)])
		s.feed(buf[:n])
		size += int64(n)
		if err != nil || n == 0 {
			break
		}
	}
	s.end()
	return size
}

// outputOf is what of an estimate is the answer, at most.
func (c *settings) outputOf(info middleware.RequestInfo) int { return min(info.Units, c.OutputTokens) }
