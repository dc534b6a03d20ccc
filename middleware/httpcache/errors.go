package httpcache

import "errors"

// ErrFellBehind is what a caller gets who shares the body of another's answer
// and has fallen behind the fastest reader by more than max_entry_bytes.
var ErrFellBehind = errors.New("httpcache: fell too far behind the other readers of a shared answer")
