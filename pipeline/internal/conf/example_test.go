package conf_test

import (
	"fmt"
	"time"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

// A base file, an overlay and the environment become a typed struct.
func Example() {
	base, err := conf.Parse("http.yaml", []byte(`
retry: {max_attempts: 4, base_delay: 200ms}
`), conf.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	overlay, err := conf.Parse("http.production.yaml", []byte(`
retry:
  max_attempts: ${env:ATTEMPTS:-6}
`), conf.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	tree, errs := conf.Expand(conf.Merge(base, overlay), func(string) (string, bool) { return "", false })
	cfg := struct {
		MaxAttempts int           `yaml:"max_attempts"`
		BaseDelay   time.Duration `yaml:"base_delay"`
		MaxDelay    time.Duration `yaml:"max_delay"`
	}{MaxDelay: 10 * time.Second} // the defaults
	errs = append(errs, conf.Decode(tree.Get("retry"), &cfg)...)
	fmt.Println(conf.Collect(errs...))
	fmt.Println(cfg.MaxAttempts, cfg.BaseDelay, cfg.MaxDelay)
	// Output:
	// <nil>
	// 6 200ms 10s
}

// Everything that is wrong is told at once, with its place.
func ExampleDecode() {
	tree, err := conf.Parse("http.yaml", []byte(`retry:
  max_attemps: 4
  base_delay: 200
`), conf.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	var cfg struct {
		Retry struct {
			MaxAttempts int           `yaml:"max_attempts"`
			BaseDelay   time.Duration `yaml:"base_delay"`
		} `yaml:"retry"`
	}
	fmt.Println(conf.Collect(conf.Decode(tree, &cfg)...))
	// Output:
	// http.yaml:2:3: retry.max_attemps: unknown key; did you mean "max_attempts"? valid keys: base_delay, max_attempts
	// http.yaml:3:15: retry.base_delay: 200 is not a duration; it has no unit: did you mean 200ms?
}

func ExampleSuggest() {
	fmt.Println(conf.Suggest("circuitBraker", []string{"cache", "circuit_breaker", "retry"}))
	// Output: circuit_breaker
}
