package circuitbreaker

import "errors"

// ErrOpen matches the middleware.RejectedError of a request that was refused
// because the breaker is open, or half-open with all its probes under way. Its
// RetryAfter is the time until the next probe may go; 0 if ForceOpen holds it open.
var ErrOpen = errors.New("circuit is open")
