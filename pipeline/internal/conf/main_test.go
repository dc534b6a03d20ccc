package conf_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// parse reads a document that must be valid, as the file a.yaml.
func parse(t testing.TB, text string) *conf.Node {
	t.Helper()
	n, err := conf.Parse("a.yaml", []byte(text), conf.DefaultLimits())
	require.NoError(t, err)
	return n
}

// show prints a tree with the kinds of its scalars on one line.
func show(n *conf.Node) string {
	if n == nil {
		return "nil"
	}
	switch n.Kind {
	case conf.Map:
		var parts []string
		for _, e := range n.Entries {
			parts = append(parts, e.Key+": "+show(e.Value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case conf.List:
		var parts []string
		for _, item := range n.Items {
			parts = append(parts, show(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case conf.Null:
		return "null"
	case conf.String:
		return strconv.Quote(n.Text)
	}
	return fmt.Sprintf("%s(%s)", strings.Fields(n.Kind.String())[1], n.Text)
}

// texts returns the errors as printed.
func texts(errs []error) []string {
	var out []string
	for _, err := range errs {
		out = append(out, err.Error())
	}
	return out
}

// walk calls f for a node and all below it.
func walk(n *conf.Node, f func(*conf.Node)) {
	f(n)
	for _, e := range n.Entries {
		walk(e.Value, f)
	}
	for _, item := range n.Items {
		walk(item, f)
	}
}
