package pipeline

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// staleSlot is the StaleSource of a pipeline's stages. A fallback stands outside
// the cache that it takes old answers from and is built before it, and a reload may
// put another cache in its place: so it is given the slot, which is filled later.
type staleSlot struct {
	source atomic.Pointer[middleware.StaleSource]
}

// fill has the slot stand for the first of the stages that stores answers.
func (s *staleSlot) fill(stages []*instance) {
	for _, i := range stages {
		if i.stale != nil {
			s.source.Store(&i.stale)
			return
		}
	}
	s.source.Store(nil)
}

// Stale asks the stage, if there is one.
func (s *staleSlot) Stale(req *http.Request, maxAge time.Duration) (*http.Response, bool) {
	source := s.source.Load()
	if source == nil {
		return nil, false
	}
	return (*source).Stale(req, maxAge)
}
