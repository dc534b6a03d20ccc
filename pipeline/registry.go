package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

// Registry is the types of stages and stores that configuration can name.
type Registry struct {
	factories map[string]Factory
	stores    map[string]Factory
	presets   map[string]source
}

var typeName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// NewRegistry gives the built-in types of stages and stores and one's own. A type that is
// there already, or whose name is not lower snake_case, is an error.
func NewRegistry(parts ...Factory) (*Registry, error) {
	r := &Registry{factories: map[string]Factory{}, stores: map[string]Factory{}}
	var errs []error
	for _, f := range slices.Concat(builtins(), builtinStores(), parts) {
		kind, types := "stage", r.factories
		if f.open != nil {
			kind, types = "store", r.stores
		}
		switch _, exists := types[f.typ]; {
		case f.build == nil && f.open == nil:
			errs = append(errs, errors.New("an empty Factory; make it with Define or DefineStore"))
		case !typeName.MatchString(f.typ):
			errs = append(errs, fmt.Errorf("%s type %q: write lower snake_case, such as my_%s", kind, f.typ, kind))
		case exists:
			errs = append(errs, fmt.Errorf("%s type %q is defined twice", kind, f.typ))
		default:
			types[f.typ] = f
		}
	}
	presets, err := loadPresets()
	if err = errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	r.presets = presets
	return r, nil
}

// builtin is the registry of the built-in types alone; it never changes.
var builtin = sync.OnceValues(func() (*Registry, error) { return NewRegistry() })

// Load reads a configuration file and the overlays over it, in their order. All
// that is wrong in any of them is reported at once.
func Load(fsys fs.FS, base string, overlays ...string) (File, error) {
	r, err := builtin()
	if err != nil {
		return File{}, err
	}
	return r.Load(fsys, base, overlays...)
}

// Decode reads a configuration from a map with the keys of the YAML form, as
// viper or koanf give it.
func Decode(values map[string]any) (File, error) {
	r, err := builtin()
	if err != nil {
		return File{}, err
	}
	return r.Decode(values)
}

// New builds a pipeline of built-in stages.
func New(name string, cfg Config, opts ...Option) (*Pipeline, error) {
	r, err := builtin()
	if err != nil {
		return nil, err
	}
	return r.New(name, cfg, opts...)
}

// Load is the function Load, with the registry's types.
func (r *Registry) Load(fsys fs.FS, base string, overlays ...string) (File, error) {
	tree, err := read(fsys, base)
	errs := []error{err}
	for _, name := range overlays {
		node, err := read(fsys, name)
		errs = append(errs, err)
		if tree != nil { // an overlay over nothing would seem to be full of mistakes
			tree = conf.Merge(tree, node)
		}
	}
	return r.file(tree, errs)
}

func read(fsys fs.FS, name string) (*conf.Node, error) {
	if !fs.ValidPath(name) {
		return nil, fmt.Errorf("%q is not a path within the file system; %s: %w", name, validPath(name), fs.ErrInvalid)
	}
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	return conf.Parse(name, data, conf.DefaultLimits())
}

// validPath tells what to write for a path that an fs.FS can't have.
func validPath(name string) string {
	clean := path.Clean(name)
	switch {
	case name == "":
		return `write for example "http.yaml"`
	case fs.ValidPath(clean):
		return fmt.Sprintf("write %q", clean)
	}
	return fmt.Sprintf("give Load the folder, as in os.DirFS(%q), and the path within it, %q", path.Dir(clean), path.Base(clean))
}

// Decode is the function Decode, with the registry's types.
func (r *Registry) Decode(values map[string]any) (File, error) {
	tree, err := conf.FromMap("config", values)
	if err != nil {
		return File{}, err
	}
	return r.file(tree, nil)
}

// file makes pipelines of a tree. With errs, what could be read of it is
// checked all the same, so that everything is told at once.
func (r *Registry) file(tree *conf.Node, errs []error) (File, error) {
	if tree == nil {
		return File{}, conf.Collect(errs...)
	}
	tree, more := conf.Expand(tree, os.LookupEnv)
	errs = append(errs, more...)
	var top struct {
		Pipelines map[string]*conf.Node `yaml:"pipelines"`
	}
	errs = append(errs, conf.Decode(tree, &top)...)
	if conf.Collect(errs...) == nil && len(tree.Get("pipelines").Keys()) == 0 {
		errs = append(errs, tree.Errorf("no pipelines; write for example pipelines: {api: {extends: standard}}"))
	}
	f := File{Pipelines: map[string]Config{}, Warnings: nullPipelines(tree)}
	sources := map[string]source{}
	for name, n := range top.Pipelines {
		s, more := readSource(n)
		errs = append(errs, more...)
		sources[name] = s
	}
	for name, s := range sources {
		p, more := r.resolve(name, s, sources)
		errs = append(errs, more...)
		cfg, more := r.settings(p)
		errs = append(errs, more...)
		f.Pipelines[name] = cfg
		f.Warnings = append(f.Warnings, p.warnings...)
	}
	if err := conf.Collect(errs...); err != nil {
		return File{}, err
	}
	slices.SortFunc(f.Warnings, func(a, b Warning) int { return strings.Compare(a.String(), b.String()) })
	return f, nil
}

// nullPipelines warns of names with nothing after them: there is no such pipeline.
func nullPipelines(tree *conf.Node) []Warning {
	var all []Warning
	if pipelines := tree.Get("pipelines"); pipelines != nil {
		for _, e := range pipelines.Entries {
			if e.Value.Kind == conf.Null {
				all = append(all, Warning{Path: e.Value.Path, Message: "is null, so that there is no such pipeline; write {} for one without stages"})
			}
		}
	}
	return all
}
