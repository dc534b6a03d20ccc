package fallback

import "strings"

const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
)

// isToken tells whether s is a token (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && strings.Trim(s, letters+digits+"!#$%&'*+-.^_`|~") == ""
}

// isName tells whether s can be the name of an answer: a token of structured
// fields (RFC 9651, section 3.3.4) in plain letters.
func isName(s string) bool {
	return s != "" && strings.Contains(letters, s[:1]) && strings.Trim(s, letters+digits+"_.-") == ""
}

// isFieldValue tells whether s can stand in a header (RFC 9110, section 5.5).
func isFieldValue(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
