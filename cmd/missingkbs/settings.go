package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
	"github.com/hbollon/go-edlib"
)

// settings gives kong the values of flags that are not on the command line: the environment wins over the file. Kong
// has resolvers of its own, in which the file wins over the environment and unknown names are passed over.
type settings struct {
	env  func(string) (string, bool)
	file *configFile
}

// Validate is part of kong.Resolver.
func (*settings) Validate(*kong.Application) error { return nil }

// Resolve is part of kong.Resolver. An empty variable counts as unset, as a deployment's blank default should, but for
// settings with the tag blank, which an empty value switches off.
func (s *settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if isSecret(flag) {
		return s.secret(flag), nil
	}
	for _, name := range flag.Envs {
		if v, ok := s.env(name); ok && (v != "" || flag.Tag.Has("blank")) {
			return v, nil
		}
	}
	for _, name := range flag.Envs {
		if v, ok := s.file.values[name]; ok {
			return v, nil
		}
	}
	for _, name := range flag.Envs {
		if v, ok := s.env(name); ok && v == "" && flag.HasDefault {
			return flag.Default, nil // kong has taken the blank for a value
		}
	}
	return nil, nil
}

// secret is the value of a secret setting, nil where there is none. What is set in the environment, by either of its
// names, hides both names in the file.
func (s *settings) secret(flag *kong.Flag) any {
	for _, from := range []struct {
		value func(string) (string, bool)
		open  bool
	}{{value: s.env}, {s.file.value, s.file.open}} {
		for _, name := range flag.Envs {
			text, _ := from.value(name)
			file, _ := from.value(name + fileSuffix)
			if given := (secret{text, file, from.open}); given.set() {
				return given
			}
		}
	}
	return nil
}

// configFile holds the settings of a YAML file, by the names of their environment variables.
type configFile struct {
	path   string
	open   bool // to everybody on the machine
	values map[string]string
	broken error // why it could not be read, or what in it is no setting
}

func (f *configFile) value(name string) (string, bool) {
	v, ok := f.values[name]
	return v, ok
}

// readConfigFile reads the file that --config or MISSINGKBS_CONFIG names; there need not be one.
func readConfigFile(args []string, env func(string) (string, bool)) (*configFile, error) {
	f := &configFile{values: map[string]string{}}
	f.path, _ = env("MISSINGKBS_CONFIG")
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			f.path = v
		}
		if a == "--config" && i+1 < len(args) {
			f.path = args[i+1]
		}
	}
	if f.path == "" {
		return f, nil
	}
	if info, err := os.Stat(f.path); err == nil {
		f.open = openToAll(info)
	}
	raw, err := os.ReadFile(f.path)
	if err != nil {
		return nil, fmt.Errorf("MISSINGKBS_CONFIG: %w", err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(raw, &values); err != nil {
		return nil, fmt.Errorf("MISSINGKBS_CONFIG: %s: %s", f.path, yaml.FormatError(err, false, false))
	}
	for name, v := range values {
		switch v.(type) {
		case string, int, int64, uint64, float64, bool:
			f.values[name] = fmt.Sprint(v)
		default:
			return nil, fmt.Errorf("MISSINGKBS_CONFIG: %s: %s takes a single value, such as %s: \"…\"", f.path, name, name)
		}
	}
	return f, nil
}

// check reports the names in the file that are no settings.
func (f *configFile) check(app *kong.Application) error {
	known := settingNames(app.Node)
	var wrong []error
	for name := range f.values {
		if slices.Contains(known, name) {
			continue
		}
		err := fmt.Errorf("%s: there is no setting %s", f.path, name)
		if near, score := nearestSetting(name, known); score > 0.85 {
			err = fmt.Errorf("%w; did you mean %s?", err, near)
		}
		wrong = append(wrong, err)
	}
	slices.SortFunc(wrong, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(wrong...)
}

func nearestSetting(name string, known []string) (near string, score float32) {
	for _, k := range known {
		if s := edlib.JaroWinklerSimilarity(strings.ToUpper(name), k); s > score {
			near, score = k, s
		}
	}
	return near, score
}

func settingNames(n *kong.Node) []string {
	var all []string
	for _, f := range n.Flags {
		all = append(all, names(f)...)
	}
	for _, c := range n.Children {
		all = append(all, settingNames(c)...)
	}
	return all
}
