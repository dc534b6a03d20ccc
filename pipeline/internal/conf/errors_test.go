package conf_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

func TestErrorPrintsWhatIsKnown(t *testing.T) {
	for want, e := range map[string]conf.Error{
		"http.yaml:12:7: a.b: message": {File: "http.yaml", Line: 12, Column: 7, Path: "a.b", Message: "message"},
		"http.yaml:1:1: message":       {File: "http.yaml", Line: 1, Column: 1, Message: "message"},
		"viper: a.b: message":          {File: "viper", Path: "a.b", Message: "message"},
		"http.yaml: message":           {File: "http.yaml", Message: "message"},
		"a.b: message":                 {Path: "a.b", Message: "message"},
		"message":                      {Message: "message"},
	} {
		require.EqualError(t, &e, want)
	}
}

func TestNodeErrorsStandAtTheValueOrTheKey(t *testing.T) {
	n := parse(t, "a:\n  b: 1").Get("a").Get("b")
	require.EqualError(t, n.Errorf("is %d", 1), "a.yaml:2:6: a.b: is 1")
	require.EqualError(t, n.KeyErrorf("is %d", 1), "a.yaml:2:3: a.b: is 1")
}

func TestCollect(t *testing.T) {
	at := func(file string, line, column int, message string) *conf.Error {
		return &conf.Error{File: file, Line: line, Column: column, Message: message}
	}
	sentinel := errors.New("no place")

	t.Run("of nothing is nil", func(t *testing.T) {
		require.NoError(t, conf.Collect())
		require.NoError(t, conf.Collect(nil, nil, errors.Join(nil)))
	})
	t.Run("sorts, removes doubles and takes lists apart", func(t *testing.T) {
		err := conf.Collect(
			sentinel, at("b", 1, 1, "x"), nil, at("a", 10, 1, "x"), at("a", 9, 2, "x"), at("a", 9, 1, "y"), at("a", 9, 1, "x"),
			errors.Join(at("a", 9, 1, "x"), conf.Errors{at("a", 1, 1, "x")}),
		)
		require.EqualError(t, err, "a:1:1: x\na:9:1: x\na:9:1: y\na:9:2: x\na:10:1: x\nb:1:1: x\nno place")
		require.ErrorIs(t, err, sentinel)
		var first *conf.Error
		require.ErrorAs(t, err, &first)
		require.Equal(t, 1, first.Line)
	})
	t.Run("prints at most 25", func(t *testing.T) {
		var errs []error
		for i := range 40 {
			errs = append(errs, at("a", i+1, 1, fmt.Sprint("x", i)))
		}
		err := conf.Collect(errs...)
		lines := strings.Split(err.Error(), "\n")
		require.Len(t, lines, 26)
		require.Equal(t, "a:25:1: x24", lines[24])
		require.Equal(t, "and 15 more", lines[25])
		require.Len(t, err.(conf.Errors).Unwrap(), 40)
	})
}
