package pipeline_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline"
)

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

// secretive is a configuration with all that String has to show, or not to.
type secretive struct {
	URL      string            `yaml:"url"`
	APIKey   string            `yaml:"api_key" headgate:"secret"`
	Unset    string            `yaml:"unset" headgate:"secret"`
	Login    *login            `yaml:"login"`
	Keys     map[string]string `yaml:"keys" headgate:"secret"`
	Headers  map[string]string `yaml:"headers"`
	Hosts    []string          `yaml:"hosts"`
	Timeout  time.Duration     `yaml:"timeout"`
	Limit    middleware.Bytes  `yaml:"limit"`
	Proxy    *url.URL          `yaml:"proxy"`
	Any      any               `yaml:"any"`
	Untagged int
	Hidden   int `yaml:"-"`
	private  int
}

type login struct {
	User     string `yaml:"user"`
	Password []byte `yaml:"password" headgate:"secret"`
}

func (secretive) Validate() error { return nil }

func TestString(t *testing.T) {
	r := registry(t, pipeline.Define("secretive", func() secretive { return secretive{} }, func(secretive, pipeline.Env) (pipeline.Stage[secretive], error) {
		return pipeline.Stage[secretive]{Wrap: func(next http.RoundTripper) http.RoundTripper { return next }}, nil
	}))
	p, err := r.New("deepseek", pipeline.Config{
		Order: []string{"secretive/full", "secretive", "timeout/total", "timeout/attempt"},
		Stages: map[string]any{
			"secretive/full": secretive{
				URL: "https://a", APIKey: "s3cret", Login: &login{User: "me", Password: []byte("s3cret")},
				Keys: map[string]string{"a": "s3cret"}, Headers: map[string]string{"Authorization": "s3cret"},
				Hosts: []string{"a", "b c"}, Timeout: time.Second, Limit: 3 * middleware.MiB,
				Proxy: &url.URL{Scheme: "http", Host: "proxy"}, Any: 1, Untagged: 2, Hidden: 3, private: 4,
			},
			"timeout/total":   map[string]any{"limit": "2h"},
			"timeout/attempt": map[string]any{"limit": "10m", "until": "headers"},
		},
	}, pipeline.WithBase(ok))
	require.NoError(t, err)
	require.NotContains(t, p.String(), "s3cret")
	golden(t, "string", p.String()+"\n")
}

func TestReport(t *testing.T) {
	p := build(t, pipeline.Config{Extends: "standard"}, ok)
	jsonOf(t, p.Report())
	require.Equal(t, 200, get(t, p))
	text := jsonOf(t, p.Report())
	var all []struct {
		ID    string
		Stats json.RawMessage
	}
	require.NoError(t, json.Unmarshal([]byte(text), &all))
	require.Len(t, all, 9)
	stats := map[string]string{}
	for _, s := range all {
		stats[s.ID] = string(s.Stats)
	}
	require.Contains(t, stats["retry"], `"attempts":1`)
	require.Contains(t, stats["semaphore"], `"key":"api.example.com"`)
	require.Contains(t, stats["timeout/total"], `"timed_out":0`)
}

func TestReportOfACustomStage(t *testing.T) {
	r := registry(t, probing("probe", new(journal), func(_ probe, s *pipeline.Stage[probe]) {
		s.Report = func() any { return map[string]int{"seen": 3} }
	}))
	p, err := r.New("api", pipeline.Config{Order: []string{"probe", "retry"}}, pipeline.WithBase(ok))
	require.NoError(t, err)
	require.Equal(t, pipeline.StageReport{ID: "probe", Stats: map[string]int{"seen": 3}}, p.Report()[0])
}
