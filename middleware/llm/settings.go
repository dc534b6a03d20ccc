package llm

import (
	"net/http"
	"time"
)

// settings are a Config made ready for use; immutable.
type settings struct {
	Config
	profiles []*provider // one, or those to choose from; the generic one last
}

// provider is a profile made ready for use.
type provider struct {
	Profile
	dialect *dialect
}

func newSettings(cfg Config) *settings {
	s := &settings{Config: cfg}
	for _, p := range Profiles() {
		if cfg.Provider != Auto && cfg.Provider != p.Name {
			continue
		}
		for code, status := range cfg.Codes {
			p.Codes[code] = status
		}
		d, _ := newDialect(append(p.Dialects, Dialect{Content: cfg.Content})...) // Validate bounds the paths
		s.profiles = append(s.profiles, &provider{p, d})
	}
	return s
}

// of gives the provider that a request goes to.
func (s *settings) of(req *http.Request) *provider {
	last := len(s.profiles) - 1
	if last > 0 && req.URL != nil {
		host := req.URL.Hostname()
		for _, p := range s.profiles[:last] {
			if p.serves(host) {
				return p
			}
		}
	}
	return s.profiles[last]
}

// sent is the upstream's time, or ours where it does not tell.
func sent(h http.Header) time.Time {
	if v := h["Date"]; len(v) > 0 {
		if at, err := http.ParseTime(v[0]); err == nil {
			return at
		}
	}
	return time.Now()
}
