package circuitbreaker

// State is what a breaker does with requests.
type State uint8

// The states.
const (
	// Closed lets every request through and counts.
	Closed State = iota
	// Open refuses every request.
	Open
	// HalfOpen lets some requests through as probes.
	HalfOpen
	// ForcedOpen refuses every request until Auto.
	ForcedOpen
	// ForcedClosed lets every request through and counts, but never opens, until Auto.
	ForcedClosed
)

var stateNames = [...]string{"closed", "open", "half_open", "forced_open", "forced_closed"}

// String gives the state's name in lower snake_case.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// MarshalText writes the state's name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
