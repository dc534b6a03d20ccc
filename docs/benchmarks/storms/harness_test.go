package storms_test

import (
	"context"
	"embed"
	"flag"
	"fmt"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/report"
	"github.com/headgate-go/headgate/docs/benchmarks/storms"
	"github.com/headgate-go/headgate/pipeline"
)

//go:embed http.yaml
var config embed.FS

var page = flag.String("results", "", "put the tables into this `page`")

// tables are those of the experiments that ran, by title.
var tables struct {
	sync.Mutex
	text map[string]string
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if *page != "" {
		if err := report.Replace(*page, "storms", section()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func section() string {
	var titles []string
	for title := range tables.text {
		titles = append(titles, title)
	}
	sort.Strings(titles)
	var b strings.Builder
	for _, title := range titles {
		fmt.Fprintf(&b, "### %s\n\n%s\n", title, tables.text[title])
	}
	b.WriteString("`go test ./storms -results ../results.md` in docs/benchmarks; virtual time, so the machine does not matter.")
	return b.String()
}

// show prints an experiment's table and keeps it for the page.
func show(t *testing.T, title, explanation string, table *report.Table) {
	t.Helper()
	text := explanation + "\n\n" + table.String()
	t.Logf("%s\n\n%s", title, text)
	tables.Lock()
	defer tables.Unlock()
	if tables.text == nil {
		tables.text = map[string]string{}
	}
	tables.text[title] = text
}

var load = sync.OnceValues(func() (pipeline.File, error) { return pipeline.Load(config, "http.yaml") })

// headgate builds the pipeline of http.yaml over the base.
func headgate(t *testing.T, name string, base http.RoundTripper) *pipeline.Pipeline {
	t.Helper()
	file, err := load()
	require.NoError(t, err)
	require.Contains(t, file.Pipelines, name)
	p, err := pipeline.New(name, file.Pipelines[name], pipeline.WithBase(base))
	require.NoError(t, err)
	return p
}

// stop stops the pipeline, within the bubble that it was used in.
func stop(t *testing.T, p *pipeline.Pipeline) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, p.Stop(ctx))
}

// busy is the upstream of the overload experiment: 400 requests per second.
func busy() *storms.Upstream {
	return &storms.Upstream{Slots: 20, Queue: 40, Latency: time.Millisecond, Service: storms.Always(50 * time.Millisecond)}
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

func rate(perSecond float64) string { return fmt.Sprintf("%.0f/s", perSecond) }

func millis(ms float64) string { return fmt.Sprintf("%.0f ms", ms) }

// recovery says how long a recovery took.
func recovery(d time.Duration, ok bool) string {
	if !ok {
		return "never"
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

func share(n, of int) float64 { return float64(n) / float64(max(1, of)) }
