package cachestore

import "fmt"

// Value is the bytes of a value for a byte store, which takes []byte and string; anything else is a *[ValueTypeError].
// A []byte is not copied.
func Value(value any) ([]byte, error) {
	switch v := value.(type) {
	case []byte:
		return v, nil
	case string:
		return []byte(v), nil
	default:
		return nil, &ValueTypeError{Type: fmt.Sprintf("%T", value), Want: "[]byte or string"}
	}
}
