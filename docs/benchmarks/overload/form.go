package main

import (
	"fmt"
	"time"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/middlewaretest/loadtest"
)

// form is a load and an upstream that gets it.
type form struct {
	name     string
	title    string
	load     loadtest.Load
	upstream func() middlewaretest.Config
}

func forms() []form {
	staged := loadtest.Load{Step: 800 * time.Millisecond, Deadline: 2 * time.Second}
	flat := staged
	for i := range 10 {
		staged.Rates, flat.Rates = append(staged.Rates, 100*(i+1)), append(flat.Rates, 1000)
	}
	return []form{
		{"staged", "100 to 1000 requests per second; 400 can be served, 40 may wait, 503 beyond", staged, busy},
		{"flat", "1000 requests per second; 400 can be served, all may wait, abandoned work is finished", flat, func() middlewaretest.Config {
			cfg := busy()
			cfg.Queue, cfg.FinishAbandoned = middlewaretest.Unbounded, true
			return cfg
		}},
	}
}

func busy() middlewaretest.Config {
	cfg := middlewaretest.Busy()
	cfg.KeepRequests = 0
	cfg.Script = middlewaretest.Handler(echo)
	return cfg
}

func formsNamed(name string) ([]form, error) {
	all := forms()
	if name == "all" {
		return all, nil
	}
	for _, f := range all {
		if f.name == name {
			return []form{f}, nil
		}
	}
	return nil, fmt.Errorf("-form %q is unknown; it can be staged, flat or all", name)
}
