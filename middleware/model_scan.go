package middleware

import "io"

// scanModel gives the string "model" of the JSON object that r has, reading at
// most limit bytes, and no further than it must; "" if there is none, or if it
// is not a model's name. It is no parser: of what is not JSON it may make
// anything.
func scanModel(r io.Reader, limit Bytes) string {
	s := modelScan{r: io.LimitedReader{R: r, N: int64(limit)}}
	if s.token() != '{' {
		return ""
	}
	for s.token() == '"' {
		key := s.text()
		if s.token() != ':' {
			return ""
		}
		value := s.token()
		if string(key) == "model" {
			if value != '"' {
				return ""
			}
			if name := s.text(); s.whole && isModelName(string(name)) {
				return string(name)
			}
			return ""
		}
		s.skip(value)
		if s.token() != ',' {
			return ""
		}
	}
	return ""
}

// modelScan reads a JSON text byte by byte. At its end, and after an error, all
// bytes are 0.
type modelScan struct {
	r     io.LimitedReader
	chunk [1024]byte
	at, n int
	last  [modelNameLength + 1]byte // the beginning of a string
	whole bool                      // the string was closed
}

func (s *modelScan) next() byte {
	for s.at == s.n {
		n, _ := s.r.Read(s.chunk[:])
		if s.at, s.n = 0, n; n == 0 {
			return 0
		}
	}
	s.at++
	return s.chunk[s.at-1]
}

// token gives the next byte that is not a space.
func (s *modelScan) token() byte {
	for {
		switch c := s.next(); c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
}

// text reads a string after its opening quote, and gives what fits into last.
// Of an escape only \/ is understood; any other becomes a byte that no name has.
func (s *modelScan) text() []byte {
	s.whole = false
	n := 0
	for {
		c := s.next()
		switch c {
		case 0:
			return nil
		case '"':
			s.whole = true
			return s.last[:n]
		case '\\':
			if c = s.next(); c != '/' {
				c = '\\'
			}
		}
		if n < len(s.last) {
			s.last[n] = c
			n++
		}
	}
}

// skip reads the rest of the value that begins with c.
func (s *modelScan) skip(c byte) {
	for depth := 0; ; c = s.next() {
		switch c {
		case 0:
			return
		case '"':
			s.text()
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				s.at-- // of the object around it
				return
			}
			depth--
		case ',':
			if depth == 0 {
				s.at--
				return
			}
		}
	}
}
