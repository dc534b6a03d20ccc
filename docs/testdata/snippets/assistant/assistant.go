// Package assistant stands for an fx module of the reader's application.
package assistant

import "go.uber.org/fx"

// Module is the application's own options.
var Module = fx.Options()
