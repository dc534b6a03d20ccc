package hedge

import "errors"

// ErrNotKept stands for the answer of a copy that failed, was longer than
// keep_response, and is all that there is to return because the first attempt
// was refused on this side.
var ErrNotKept = errors.New("the failed answer was too long to keep")
