package ratelimit

import "github.com/headgate-go/headgate/middleware"

// settings are a Config made ready for use; immutable.
type settings struct {
	Config
	key middleware.KeyFunc
}

func newSettings(cfg Config, key middleware.KeyFunc) *settings {
	if key == nil {
		key = middleware.KeyByName(cfg.Key)
	}
	return &settings{Config: cfg, key: key}
}

// pauses tells whether an answer holds everybody back.
func (s *settings) pauses(o middleware.Outcome) bool {
	return o.Hinted && (o.Verdict == middleware.Pushback || o.Verdict == middleware.Busy && s.PauseOnBusy)
}
