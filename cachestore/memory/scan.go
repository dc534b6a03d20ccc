package memory

import (
	"context"

	"github.com/headgate-go/headgate/cachestore"
)

var _ cachestore.Scanner = (*Store)(nil)

// DeleteFunc removes the entries for which match is true. It looks at every entry
// that is there from beginning to end; one that is being stored meanwhile it may
// miss. match must neither block nor use the store.
func (s *Store) DeleteFunc(_ context.Context, match func(key string, value any) bool) {
	for key, e := range s.cache.All() {
		if match(key, e.value) {
			s.removeIf(key, func(current entry) bool { return match(key, current.value) })
		}
	}
}
