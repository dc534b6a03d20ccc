package llm

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// Config is the stage's settings.
type Config struct {
	// Provider is whose API it is: the name of one of Profiles, or "auto" for the
	// one that the request's host belongs to. Default "auto".
	Provider string `yaml:"provider"`
	// Codes adds to the provider's: the status that an error means, by its code
	// or type. Default none.
	Codes map[string]int `yaml:"codes"`
	// Content adds to where the provider's events have what the user waits for:
	// "choices.delta.content". Default none.
	Content []string `yaml:"content"`
	// Hold bounds the wait for an answer's beginning. Default 5m and 64KiB.
	Hold HoldConfig `yaml:"hold"`
	// ErrorBytes bounds what is read ahead of the body of an error to see what it
	// means; 0 reads nothing. Default 16KiB.
	ErrorBytes middleware.Bytes `yaml:"error_bytes"`
	// ErrorTime bounds how long that reading may take. Default 1s.
	ErrorTime time.Duration `yaml:"error_time"`
	// RequestBytes bounds what is read of a request's body (through GetBody, so
	// that a request without it is not looked at) for max_tokens and stream; 0 reads
	// nothing. Default 1MiB.
	RequestBytes middleware.Bytes `yaml:"request_bytes"`
	// BytesPerToken is how many bytes of a request make a token, for the estimate
	// of what it will take. Default 4.
	BytesPerToken float64 `yaml:"bytes_per_token"`
	// OutputTokens is what an answer is taken to be long, in the estimate, where
	// the request does not bound it. Default 500.
	OutputTokens int `yaml:"output_tokens"`
	// MaxKeys is the number of models at an authority to keep statistics for. It
	// cannot be changed in use. Default 256.
	MaxKeys int `yaml:"max_keys"`
}

// HoldConfig bounds the wait for an answer's beginning: a response is held until
// its first content has come, because an error until then can still be retried.
// At a bound the response goes on as it is, and nothing is lost but that.
type HoldConfig struct {
	// Time bounds how long; 0 holds nothing. Default 5m.
	Time time.Duration `yaml:"time"`
	// Bytes bounds what is read ahead. Default 64KiB.
	Bytes middleware.Bytes `yaml:"bytes"`
}

// DefaultConfig knows the provider by the request's host and holds a response
// for at most 5 minutes.
func DefaultConfig() Config {
	return Config{
		Provider:      Auto,
		Hold:          HoldConfig{Time: 5 * time.Minute, Bytes: 64 * middleware.KiB},
		ErrorBytes:    16 * middleware.KiB,
		ErrorTime:     time.Second,
		RequestBytes:  middleware.MiB,
		BytesPerToken: 4,
		OutputTokens:  500,
		MaxKeys:       256,
	}
}

// maxContent bounds the number of paths, of which the reader has room for 255 with their parts.
const maxContent = 16

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var p middleware.Problems
	names := providers()
	p.Check(slices.Contains(names, c.Provider), "provider", "%.40q is unknown; it can be one of %s", c.Provider, strings.Join(names, ", "))
	for _, code := range slices.Sorted(maps.Keys(c.Codes)) {
		status := c.Codes[code]
		p.Check(status >= 400 && status <= 599, "codes", "%d, for %.40q, is not the status of an error; write for example 402 (exhausted), 429 (pushback), 503 (busy) or 500", status, code)
	}
	p.Check(len(c.Content) <= maxContent, "content", "%d paths are too many; there can be %d", len(c.Content), maxContent)
	for _, path := range c.Content {
		p.Check(isPath(path), "content", "%.80q is not a path; write for example choices.delta.content", path)
	}
	p.Check(c.Hold.Time >= 0, "hold.time", "%v is negative; 0 holds nothing", c.Hold.Time)
	p.Check(c.Hold.Bytes > 0 && c.Hold.Bytes <= 16*middleware.MiB, "hold.bytes", "%d is out of range; it goes from 1 to 16MiB", int64(c.Hold.Bytes))
	p.Check(c.ErrorBytes >= 0 && c.ErrorBytes <= 16*middleware.MiB, "error_bytes", "%d is out of range; it goes from 0 (nothing is read) to 16MiB", int64(c.ErrorBytes))
	p.Check(c.ErrorTime > 0, "error_time", "%v leaves no time to read; write for example 1s", c.ErrorTime)
	p.Check(c.RequestBytes >= 0, "request_bytes", "%d is negative; 0 reads nothing", int64(c.RequestBytes))
	p.Check(c.BytesPerToken > 0 && c.BytesPerToken <= 1000, "bytes_per_token", "%v is out of range; write for example 4", c.BytesPerToken)
	p.Check(c.OutputTokens >= 0 && c.OutputTokens <= maxTokens, "output_tokens", "%d is out of range; it goes from 0 to %d", c.OutputTokens, maxTokens)
	p.Check(c.MaxKeys >= 1, "max_keys", "%d is too small; it must be at least 1", c.MaxKeys)
	return p.Err()
}

func providers() []string {
	names := []string{Auto}
	for _, p := range Profiles() {
		names = append(names, p.Name)
	}
	return names
}

// isPath tells whether a path has between one and eight parts, none of them empty.
func isPath(s string) bool {
	parts := strings.Split(s, ".")
	return len(parts) <= 8 && !slices.Contains(parts, "")
}
