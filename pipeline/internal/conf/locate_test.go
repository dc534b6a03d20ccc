package conf_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

// keyError is the shape of a validation error, as a stage returns it.
type keyError struct{ key, message string }

func (e *keyError) Error() string { return e.key + ": " + e.message }
func (e *keyError) Key() string   { return e.key }

func TestLocate(t *testing.T) {
	node := parse(t, `stages:
  retry:
    max_attempts: -4
    tiers:
    - rate: 1
    - rate: -1
    keys:
      api.example.com: {rate: 2}
      "a b": 3
`).Get("stages").Get("retry")

	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"a key in the file":                {&keyError{"max_attempts", "is -4"}, "a.yaml:3:5: stages.retry.max_attempts: is -4"},
		"a key that is not in the file":    {&keyError{"base_delay", "is 0"}, "a.yaml:2:3: stages.retry.base_delay: is 0"},
		"a key in a list":                  {&keyError{"tiers[1].rate", "is -1"}, "a.yaml:6:7: stages.retry.tiers[1].rate: is -1"},
		"an item that is not there":        {&keyError{"tiers[7].rate", "is -1"}, "a.yaml:4:5: stages.retry.tiers[7].rate: is -1"},
		"a key with dots":                  {&keyError{"keys.api.example.com.rate", "is 2"}, `a.yaml:8:25: stages.retry.keys["api.example.com"].rate: is 2`},
		"a key with dots in brackets":      {&keyError{`keys["api.example.com"].rate`, "is 2"}, `a.yaml:8:25: stages.retry.keys["api.example.com"].rate: is 2`},
		"a key with a space in brackets":   {&keyError{`keys["a b"]`, "is 3"}, `a.yaml:9:7: stages.retry.keys["a b"]: is 3`},
		"a key below one that is missing":  {&keyError{"keys.none.rate", "is 2"}, "a.yaml:7:5: stages.retry.keys.none.rate: is 2"},
		"a key that only begins like one":  {&keyError{"max_attempts_total", "is 2"}, "a.yaml:2:3: stages.retry.max_attempts_total: is 2"},
		"no key":                           {errors.New("it contradicts itself"), "a.yaml:2:3: stages.retry: it contradicts itself"},
		"an empty key":                     {&keyError{"", "it contradicts itself"}, "a.yaml:2:3: stages.retry: it contradicts itself"},
		"a wrapped key":                    {fmt.Errorf("retry: %w", &keyError{"max_attempts", "is -4"}), "a.yaml:3:5: stages.retry.max_attempts: retry: max_attempts: is -4"},
		"an error that is located already": {&conf.Error{File: "b.yaml", Line: 1, Column: 2, Message: "x"}, "b.yaml:1:2: x"},
	} {
		t.Run(name, func(t *testing.T) {
			errs := conf.Locate(node, c.err)
			require.Equal(t, []string{c.want}, texts(errs))
			require.ErrorIs(t, errs[0], c.err)
		})
	}

	t.Run("joined errors are taken apart, however deep", func(t *testing.T) {
		errs := conf.Locate(node, errors.Join(
			&keyError{"max_attempts", "is -4"},
			fmt.Errorf("more: %w", errors.Join(&keyError{"tiers[0].rate", "is 1"}, io.EOF)),
		))
		require.Equal(t, []string{
			"a.yaml:3:5: stages.retry.max_attempts: is -4",
			"a.yaml:5:7: stages.retry.tiers[0].rate: is 1",
			"a.yaml:2:3: stages.retry: EOF",
		}, texts(errs))
		require.ErrorIs(t, conf.Collect(errs...), io.EOF)
		require.ErrorAs(t, conf.Collect(errs...), new(*keyError))
	})
	t.Run("a key of a map that was merged has the path at which it was written", func(t *testing.T) {
		merged := conf.Merge(parse(t, "preset: {retry: {max_attempts: 1}}").Get("preset").Get("retry"), node)
		require.Equal(t, []string{"a.yaml:3:5: stages.retry.max_attempts: is -4"}, texts(conf.Locate(merged, &keyError{"max_attempts", "is -4"})))
	})
	t.Run("nothing is wrong", func(t *testing.T) { require.Empty(t, conf.Locate(node, nil)) })
	t.Run("nothing is written", func(t *testing.T) {
		require.Equal(t, []string{"max_attempts: is -4"}, texts(conf.Locate(nil, &keyError{"max_attempts", "is -4"})))
	})
}
