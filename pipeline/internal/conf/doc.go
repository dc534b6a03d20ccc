// Package conf is the engine under the configuration: it reads YAML files and
// maps into a small tree in which every value knows where it was written,
// merges trees, puts environment variables in, and decodes parts of a tree
// into typed structs. It knows nothing about pipelines or stages.
//
// The way of a configuration:
//
//	base, err := conf.Parse("http.yaml", data, conf.DefaultLimits())
//	over, err := conf.Parse("http.production.yaml", more, conf.DefaultLimits())
//	tree := conf.Merge(base, over)
//	tree, errs := conf.Expand(tree, os.LookupEnv)
//	errs = append(errs, conf.Decode(tree.Get("retry"), &cfg)...)
//	errs = append(errs, conf.Locate(tree.Get("retry"), cfg.Validate())...)
//	return conf.Collect(errs...)
//
// Nodes are never changed after they are made: Merge, Expand and Without
// return new trees that may share parts with their inputs. A tree can
// therefore be used from several goroutines.
//
// # YAML that is understood
//
// One document, a map at its root, YAML 1.2 core types. Refused with a
// position and a hint: a key that stands twice, a key that is not text,
// anchors, aliases and merge keys, tags, directives, complex keys, several
// documents, bytes that are not UTF-8 text. Overlays and environment variables
// do what aliases are used for in configuration, and without aliases a
// document can't be larger in memory than it is on disk. Limits bounds the
// size, the depth and the number of values.
//
// # Secrets
//
// No error of Parse, Expand and Decode repeats the value of an environment
// variable, nor anything below a struct field that is tagged `headgate:"secret"`.
// Other values are quoted with at most 40 characters. What a Validate says, and
// Locate places, is its own: it must not show what is tagged as a secret.
package conf
