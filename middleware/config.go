package middleware

import (
	"errors"
	"fmt"
	"reflect"
)

// ConfigError is one thing that is wrong in a stage's configuration.
type ConfigError struct {
	// Name is the setting, as it is written in YAML: "max_attempts".
	Name string
	// Problem says what is wrong and what would be right.
	Problem string
}

// Error reads "max_attempts: 0 is too small; 1 means no retry".
func (e *ConfigError) Error() string { return e.Name + ": " + e.Problem }

// Key is the setting's name; the configuration loader finds its place in the file by it.
func (e *ConfigError) Key() string { return e.Name }

// Problems collects what is wrong in a configuration, so that Validate can
// report all of it at once.
type Problems []error

// Check adds a problem with the named setting unless ok.
func (p *Problems) Check(ok bool, name, format string, args ...any) {
	if !ok {
		*p = append(*p, &ConfigError{Name: name, Problem: fmt.Sprintf(format, args...)})
	}
}

// Err is nil without problems.
func (p Problems) Err() error { return errors.Join(p...) }

// Validate checks a stage's configuration for its constructor. The zero value
// is refused with a pointer to DefaultConfig, because zero is never silently
// a default; whatever else is wrong is reported under the stage's name.
func Validate(stage string, cfg interface{ Validate() error }) error {
	if v := reflect.ValueOf(cfg); !v.IsValid() || v.IsZero() {
		return fmt.Errorf("%s: the configuration is empty; begin with DefaultConfig()", stage)
	}
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("%s: %w", stage, err)
	}
	return nil
}
