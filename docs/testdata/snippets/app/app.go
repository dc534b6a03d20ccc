// Package app stands for the reader's application.
package app

import (
	"context"

	"github.com/headgate-go/headgate/middleware"
)

// Answers is what the application reports.
type Answers struct{ Answer int }

// Report asks the upstream.
func Report(context.Context, string) (Answers, error) { return Answers{}, nil }

// Metrics is what the application counts.
type Metrics struct{}

// For is who counts for one pipeline.
func (Metrics) For(string) middleware.Observer { return nil }
