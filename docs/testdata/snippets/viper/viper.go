// Package viper stands for whatever reads the application's configuration.
package viper

// Viper holds it.
type Viper struct{}

// AllSettings gives it as a map.
func (*Viper) AllSettings() map[string]any { return nil }
