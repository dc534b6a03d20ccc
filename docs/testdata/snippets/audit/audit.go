// Package audit stands for a stage of the reader's own that needs a database.
package audit

import (
	"database/sql"

	"github.com/headgate-go/headgate/pipeline"
)

// Config is the stage's settings.
type Config struct {
	Table string `yaml:"table"`
}

// DefaultConfig is where a configuration begins.
func DefaultConfig() Config { return Config{Table: "audit"} }

// Validate reports everything that is wrong.
func (Config) Validate() error { return nil }

// Builder makes stages that write to the database.
func Builder(*sql.DB) func(Config, pipeline.Env) (pipeline.Stage[Config], error) { return nil }
