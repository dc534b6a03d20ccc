package cachestore

import "fmt"

// Key turns a gocache key, which is an any, into the string that the stores of this module use. It takes
//
//   - a string, as it is;
//   - a []byte, copied;
//   - a value with GetCacheKey() string, gocache's own cache.CacheKeyGenerator;
//   - a fmt.Stringer.
//
// Anything else is a *[KeyTypeError]: gocache hashes the printed form of other keys, and two different structs
// can print alike.
func Key(key any) (string, error) {
	switch k := key.(type) {
	case string:
		return k, nil
	case []byte:
		return string(k), nil
	case interface{ GetCacheKey() string }:
		return k.GetCacheKey(), nil
	case fmt.Stringer:
		return k.String(), nil
	default:
		return "", &KeyTypeError{Type: fmt.Sprintf("%T", key)}
	}
}
