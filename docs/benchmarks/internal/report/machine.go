package report

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine says what the figures were measured on: the processor, as far as the
// system tells, the number of them, and Go's version.
func Machine() string {
	data, _ := os.ReadFile("/proc/cpuinfo") // there is none but on Linux
	return fmt.Sprintf("%s/%s, %s, %d processors, %s", runtime.GOOS, runtime.GOARCH, processor(string(data)), runtime.GOMAXPROCS(0), runtime.Version())
}

func processor(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}
