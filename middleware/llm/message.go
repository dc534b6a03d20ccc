package llm

import (
	"strconv"
	"strings"
	"time"

	"github.com/headgate-go/headgate/middleware/internal/reset"
)

// comeBack reads from an error's text when to come back: "try again in
// 41.724s", "retry after 6 seconds", "Please retry in 1m3s".
func comeBack(message string) (time.Duration, bool) {
	text := strings.ToLower(message)
	for _, phrase := range [...]string{"try again in ", "try again after ", "retry after ", "retry in "} {
		if _, rest, found := strings.Cut(text, phrase); found {
			if d, ok := span(rest); ok {
				return d, true
			}
		}
	}
	return 0, false
}

// span reads the time at the beginning of a text: 6m0s, 1.5 s, 2 minutes 3 seconds.
func span(s string) (time.Duration, bool) {
	var sum float64
	found := false
	for {
		s = strings.TrimLeft(s, " ")
		digits := len(s) - len(strings.TrimLeft(s, "0123456789."))
		n, ok := reset.Number(strings.TrimRight(s[:digits], "."))
		if !ok {
			break
		}
		s = strings.TrimLeft(s[digits:], " ")
		letters := len(s) - len(strings.TrimLeft(s, "abcdefghijklmnopqrstuvwxyz"))
		unit := unitOf(s[:letters])
		if unit == 0 {
			break
		}
		sum, found, s = sum+n*unit, true, s[letters:]
	}
	return reset.Seconds(sum), found
}

// unitOf is a unit in seconds, 0 for what is none.
func unitOf(name string) float64 {
	switch name {
	case "ms", "millisecond", "milliseconds":
		return 0.001
	case "s", "sec", "secs", "second", "seconds":
		return 1
	case "m", "min", "mins", "minute", "minutes":
		return 60
	case "h", "hour", "hours":
		return 3600
	}
	return 0
}

// concurrency reads from an error's text how many requests may be on at a time:
// "concurrency limit of 50".
func concurrency(message string) int {
	text := strings.ToLower(message)
	for _, phrase := range [...]string{"concurrency limit of ", "concurrency limit: ", "concurrent request limit of ", "concurrent requests limit of "} {
		_, rest, found := strings.Cut(text, phrase)
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if n, err := strconv.Atoi(rest[:digits]); found && err == nil && n > 0 && n <= maxConcurrency {
			return n
		}
	}
	return 0
}

// maxConcurrency bounds what is believed.
const maxConcurrency = 1_000_000
