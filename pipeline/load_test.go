package pipeline_test

import (
	"io/fs"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/retry"
	"github.com/headgate-go/headgate/middleware/semaphore"
	"github.com/headgate-go/headgate/middleware/timeout"
	"github.com/headgate-go/headgate/pipeline"
	"github.com/headgate-go/headgate/transport"
)

const base = `
pipelines:
  api:
    order: [timeout/total, retry, semaphore, timeout/attempt]
    stages:
      timeout/total: {limit: 20s}
      retry: {max_attempts: 5, base_delay: 300ms}
      semaphore: {max_concurrent: 8}
      timeout/attempt: {limit: 10s, until: headers}
`

func TestLoadGivesCompletePipelines(t *testing.T) {
	f := load(t, base)
	require.Empty(t, f.Warnings)
	require.Len(t, f.Pipelines, 1)
	cfg := f.Pipelines["api"]
	require.Equal(t, []string{"timeout/total", "retry", "semaphore", "timeout/attempt"}, cfg.Order)
	require.Nil(t, cfg.Transport, "nobody said anything about it")

	want := retry.DefaultConfig()
	want.MaxAttempts, want.BaseDelay = 5, 300*time.Millisecond
	require.Equal(t, want, cfg.Stages["retry"])
	require.Equal(t, timeout.Config{Limit: 20 * time.Second, Until: timeout.UntilBody}, cfg.Stages["timeout/total"])
	require.Equal(t, timeout.Config{Limit: 10 * time.Second, Until: timeout.UntilHeaders}, cfg.Stages["timeout/attempt"])
}

func TestOverlay(t *testing.T) {
	for _, test := range []struct {
		name    string
		overlay string
		order   []string
		check   func(t *testing.T, cfg pipeline.Config)
	}{
		{name: "empty: nothing changes", overlay: ""},
		{name: "a comment alone: nothing changes", overlay: "# nothing yet\n"},
		{
			name:    "maps merge",
			overlay: `pipelines: {api: {stages: {retry: {max_attempts: 2}}}}`,
			check: func(t *testing.T, cfg pipeline.Config) {
				require.Equal(t, 2, cfg.Stages["retry"].(retry.Config).MaxAttempts)
				require.Equal(t, 300*time.Millisecond, cfg.Stages["retry"].(retry.Config).BaseDelay, "the base's stays")
			},
		},
		{
			name:    "lists replace",
			overlay: `pipelines: {api: {order: [retry], stages: null}}`,
			order:   []string{"retry"},
		},
		{
			name:    "null restores a setting's default",
			overlay: `pipelines: {api: {stages: {retry: {max_attempts: null}}}}`,
			check: func(t *testing.T, cfg pipeline.Config) {
				require.Equal(t, retry.DefaultConfig().MaxAttempts, cfg.Stages["retry"].(retry.Config).MaxAttempts)
				require.Equal(t, 300*time.Millisecond, cfg.Stages["retry"].(retry.Config).BaseDelay)
			},
		},
		{
			name:    "null restores a stage's defaults",
			overlay: `pipelines: {api: {stages: {retry: null}}}`,
			check: func(t *testing.T, cfg pipeline.Config) {
				require.Equal(t, retry.DefaultConfig(), cfg.Stages["retry"])
			},
		},
		{
			name:    "insert before",
			overlay: `pipelines: {api: {insert: {rate_limit: {before: semaphore}}}}`,
			order:   []string{"timeout/total", "retry", "rate_limit", "semaphore", "timeout/attempt"},
		},
		{
			name:    "insert after the last",
			overlay: `pipelines: {api: {insert: {rate_limit: {after: timeout/attempt}}}}`,
			order:   []string{"timeout/total", "retry", "semaphore", "timeout/attempt", "rate_limit"},
		},
		{
			name:    "insert next to another that is inserted, whatever their names",
			overlay: `pipelines: {api: {insert: {cache: {before: rate_limit}, rate_limit: {before: timeout/zero}, timeout/zero: {before: semaphore}}, stages: {timeout/zero: {limit: 15s}}}}`,
			order:   []string{"timeout/total", "retry", "cache", "rate_limit", "timeout/zero", "semaphore", "timeout/attempt"},
		},
		{
			name:    "an insertion that is null is none",
			overlay: `pipelines: {api: {insert: {cache: null}}}`,
		},
		{
			name:    "off by id",
			overlay: `pipelines: {api: {off: [timeout/attempt]}}`,
			order:   []string{"timeout/total", "retry", "semaphore"},
		},
		{
			name:    "off by type",
			overlay: `pipelines: {api: {off: [timeout]}}`,
			order:   []string{"retry", "semaphore"},
		},
		{
			name:    "everything off",
			overlay: `pipelines: {api: {off: [timeout, retry, semaphore]}}`,
			order:   []string{},
		},
		{
			name:    "a further pipeline",
			overlay: `pipelines: {other: {order: [retry]}}`,
		},
		{
			name:    "settings of the transport",
			overlay: `pipelines: {api: {transport: {dial_timeout: 2s, resolver: {ttl: 1m}}}}`,
			check: func(t *testing.T, cfg pipeline.Config) {
				want := transport.DefaultConfig()
				want.DialTimeout, want.Resolver.TTL = 2*time.Second, time.Minute
				require.Equal(t, &want, cfg.Transport)
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := load(t, base, test.overlay)
			require.Empty(t, f.Warnings)
			cfg := f.Pipelines["api"]
			if test.order == nil {
				test.order = []string{"timeout/total", "retry", "semaphore", "timeout/attempt"}
			}
			require.Equal(t, test.order, cfg.Order)
			if test.check != nil {
				test.check(t, cfg)
			}
		})
	}
}

func TestLaterOverlaysLieOverEarlierOnes(t *testing.T) {
	f := load(t, base,
		`pipelines: {api: {off: [retry], stages: {semaphore: {max_concurrent: 2}}}}`,
		`pipelines: {api: {off: null, stages: {semaphore: {max_concurrent: 4}}}}`)
	cfg := f.Pipelines["api"]
	require.Contains(t, cfg.Order, "retry")
	require.Equal(t, 4, cfg.Stages["semaphore"].(semaphore.Config).MaxConcurrent)
}

func TestSettingsOnlyInAnOverlay(t *testing.T) {
	f := load(t, `pipelines: {api: {order: [retry]}}`, `pipelines: {api: {stages: {retry: {max_attempts: 7}}}}`)
	require.Equal(t, 7, f.Pipelines["api"].Stages["retry"].(retry.Config).MaxAttempts)
}

func TestExtends(t *testing.T) {
	preset := load(t, `pipelines: {api: {extends: standard}}`).Pipelines["api"]
	require.Contains(t, preset.Order, "circuit_breaker")

	for _, test := range []struct {
		name  string
		yaml  string
		check func(t *testing.T, cfg pipeline.Config)
	}{
		{
			name: "a preset: order and settings are its own",
			yaml: `pipelines: {api: {extends: standard}}`,
			check: func(t *testing.T, cfg pipeline.Config) {
				require.Equal(t, 1000, cfg.Stages["semaphore"].(semaphore.Config).MaxConcurrent)
			},
		},
		{
			name: "settings over those of a preset",
			yaml: `pipelines: {api: {extends: standard, stages: {semaphore: {queue: 7}}}}`,
			check: func(t *testing.T, cfg pipeline.Config) {
				require.Equal(t, 1000, cfg.Stages["semaphore"].(semaphore.Config).MaxConcurrent)
				require.Equal(t, 7, cfg.Stages["semaphore"].(semaphore.Config).Queue)
			},
		},
		{
			name: "null takes away a preset's settings",
			yaml: `pipelines: {api: {extends: standard, stages: {semaphore: null, retry: {max_attempts: null}}}}`,
			check: func(t *testing.T, cfg pipeline.Config) {
				require.Equal(t, semaphore.DefaultConfig(), cfg.Stages["semaphore"])
				require.Equal(t, retry.DefaultConfig(), cfg.Stages["retry"])
			},
		},
		{
			name: "another pipeline of the file, wherever it stands",
			yaml: `pipelines: {api: {extends: zoo, stages: {retry: {max_attempts: 4}}}, zoo: {extends: standard, stages: {retry: {max_delay: 3s}}}}`,
			check: func(t *testing.T, cfg pipeline.Config) {
				require.Equal(t, 4, cfg.Stages["retry"].(retry.Config).MaxAttempts)
				require.Equal(t, 3*time.Second, cfg.Stages["retry"].(retry.Config).MaxDelay)
			},
		},
		{
			name: "a pipeline with the name of the preset that it extends",
			yaml: `pipelines: {api: {extends: standard}, standard: {extends: standard, stages: {semaphore: {queue: 9}}}}`,
			check: func(t *testing.T, cfg pipeline.Config) {
				require.Equal(t, 1000, cfg.Stages["semaphore"].(semaphore.Config).MaxConcurrent)
				require.Equal(t, 9, cfg.Stages["semaphore"].(semaphore.Config).Queue, "the file's standard comes before the preset")
			},
		},
		{
			name: "the transport's settings too",
			yaml: `pipelines: {api: {extends: zoo, transport: {keep_alive: 9s}}, zoo: {extends: standard, transport: {dial_timeout: 2s, keep_alive: 8s}}}`,
			check: func(t *testing.T, cfg pipeline.Config) {
				require.Equal(t, 2*time.Second, cfg.Transport.DialTimeout)
				require.Equal(t, 9*time.Second, cfg.Transport.KeepAlive)
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := load(t, test.yaml)
			require.Empty(t, f.Warnings)
			require.Equal(t, preset.Order, f.Pipelines["api"].Order)
			test.check(t, f.Pipelines["api"])
		})
	}
}

func TestExtendsAnOrderOfItsOwnOverAPreset(t *testing.T) {
	f := load(t, `pipelines: {api: {extends: standard, order: [semaphore]}}`)
	require.Equal(t, []string{"semaphore"}, f.Pipelines["api"].Order)
	require.Equal(t, 1000, f.Pipelines["api"].Stages["semaphore"].(semaphore.Config).MaxConcurrent)
	require.Len(t, f.Pipelines["api"].Stages, 1)
	require.Empty(t, f.Warnings, "settings of a preset that are not used are no mistake")
}

func TestPresetsAreRight(t *testing.T) {
	for _, name := range []string{"standard", "llm"} {
		t.Run(name, func(t *testing.T) {
			p := build(t, pipeline.Config{Extends: name}, ok)
			require.Empty(t, p.Warnings())
			require.Equal(t, 200, get(t, p))
		})
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("HEADGATE_TEST_ATTEMPTS", "6")
	t.Setenv("HEADGATE_TEST_STAGE", "retry")
	f := load(t, `
pipelines:
  api:
    order: ["${env:HEADGATE_TEST_STAGE}", "timeout/${env:HEADGATE_TEST_UNSET:-total}"]
    stages:
      retry:
        max_attempts: ${env:HEADGATE_TEST_ATTEMPTS}
        max_delay: ${env:HEADGATE_TEST_UNSET:-7s}
`)
	cfg := f.Pipelines["api"]
	require.Equal(t, []string{"retry", "timeout/total"}, cfg.Order)
	require.Equal(t, 6, cfg.Stages["retry"].(retry.Config).MaxAttempts)
	require.Equal(t, 7*time.Second, cfg.Stages["retry"].(retry.Config).MaxDelay)

	_, err := tryLoad("pipelines:\n  api:\n    order: [retry]\n    stages: {retry: {max_attempts: '${env:HEADGATE_TEST_UNSET}'}}\n")
	require.ErrorContains(t, err, "HEADGATE_TEST_UNSET")
	require.ErrorContains(t, err, "http.yaml:4:")
}

func TestLoadWarns(t *testing.T) {
	for _, test := range []struct {
		name string
		yaml string
		want []string
	}{
		{
			name: "of settings for a stage that is not in the order",
			yaml: `pipelines: {api: {order: [retry], stages: {semaphore: {queue: 1}, cache: {}}}}`,
			want: []string{
				"pipelines.api.stages.cache: settings for a stage that is not in the order",
				"pipelines.api.stages.semaphore: settings for a stage that is not in the order",
			},
		},
		{
			name: "not of one that is switched off by id",
			yaml: `pipelines: {api: {order: [retry, semaphore], off: [semaphore], stages: {semaphore: {queue: 1}}}}`,
		},
		{
			name: "not of one that is switched off by type",
			yaml: `pipelines: {api: {order: [retry, timeout/total], off: [timeout], stages: {timeout/total: {limit: 1s}}}}`,
		},
		{
			name: "not of one that is null",
			yaml: `pipelines: {api: {order: [retry], stages: {semaphore: null}}}`,
		},
		{
			name: "of a pipeline that is null",
			yaml: "pipelines:\n  api: {}\n  other:\n",
			want: []string{"pipelines.other: is null, so that there is no such pipeline; write {} for one without stages"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := load(t, test.yaml)
			var got []string
			for _, w := range f.Warnings {
				got = append(got, w.String())
			}
			require.Equal(t, test.want, got)
		})
	}
}

func TestLoadOfAMissingFile(t *testing.T) {
	_, err := pipeline.Load(files(), "http.yaml", "http.production.yaml")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "http.yaml")
	require.ErrorContains(t, err, "http.production.yaml")

	_, err = pipeline.Load(files("http.production.yaml", `pipelines: {api: {off: [cache]}}`), "http.yaml", "http.production.yaml")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NotContains(t, err.Error(), "off", "an overlay over nothing is not read as if it stood alone")

	_, err = pipeline.Load(files("http.yaml", base), "http.yaml", "http.production.yaml")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NotContains(t, err.Error(), "http.yaml")
}

func TestLoadWithoutPipelines(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "pipelines:\n", "pipelines: {}\n"} {
		_, err := tryLoad(text)
		require.ErrorContains(t, err, "http.yaml:")
		require.ErrorContains(t, err, "no pipelines; write for example")
	}
	_, err := pipeline.Decode(nil)
	require.ErrorContains(t, err, "no pipelines")
}

func TestConfigErrorsHaveAPlace(t *testing.T) {
	_, err := tryLoad("pipelines:\n  api:\n    order: [retry]\n    stages:\n      retry:\n        max_attempts: -1\n")
	var e *pipeline.ConfigError
	require.ErrorAs(t, err, &e)
	require.Equal(t, "http.yaml", e.File)
	require.Equal(t, 6, e.Line)
	require.Equal(t, 9, e.Column)
	require.Equal(t, "pipelines.api.stages.retry.max_attempts", e.Path)
	var problem *middleware.ConfigError
	require.ErrorAs(t, err, &problem, "the stage's own error is within")
	require.Equal(t, "max_attempts", problem.Name)
}

func TestOneRegistryServesManyAtOnce(t *testing.T) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			f, err := tryLoad(`pipelines: {api: {extends: mine}, mine: {extends: llm, insert: {timeout/first: {before: retry}}, stages: {timeout/first: {limit: 5m}}}}`)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := pipeline.New("api", f.Pipelines["api"], pipeline.WithBase(ok)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// The most likely mistakes with an fs.FS, of which its own error tells nothing.
func TestLoadOfAPathThatNoFileSystemHas(t *testing.T) {
	for name, want := range map[string]string{
		"./http.yaml":    `"./http.yaml" is not a path within the file system; write "http.yaml"`,
		"/etc/http.yaml": `"/etc/http.yaml" is not a path within the file system; give Load the folder, as in os.DirFS("/etc"), and the path within it, "http.yaml"`,
		"../http.yaml":   `"../http.yaml" is not a path within the file system; give Load the folder, as in os.DirFS(".."), and the path within it, "http.yaml"`,
		"":               `"" is not a path within the file system; write for example "http.yaml"`,
	} {
		_, err := pipeline.Load(files("http.yaml", base), name)
		require.ErrorContains(t, err, want)
		require.ErrorIs(t, err, fs.ErrInvalid)
		_, err = pipeline.Load(files("http.yaml", base), "http.yaml", name)
		require.ErrorContains(t, err, want)
	}
}
