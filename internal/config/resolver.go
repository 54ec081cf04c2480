package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Resolver gives kong the values of flags that are not on the command line. The environment wins over the file. With kong's
// own resolvers the file would win, and unknown names would be ignored.
type Resolver struct {
	Env  Environment
	File *File
}

// Validate implements [kong.Resolver].
func (Resolver) Validate(*kong.Application) error { return nil }

// Resolve implements [kong.Resolver]. An empty variable counts as unset, because deployments have blank defaults. Settings
// with the tag blank are the exception: an empty value switches them off.
func (r Resolver) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if IsSecret(flag) {
		return r.secret(flag), nil
	}
	for _, name := range flag.Envs {
		if v, ok := r.Env(name); ok && (v != "" || flag.Tag.Has("blank")) {
			return v, nil
		}
	}
	for _, name := range flag.Envs {
		if v, ok := r.File.lookup(name); ok {
			return v, nil
		}
	}
	for _, name := range flag.Envs {
		if v, ok := r.Env(name); ok && v == "" && flag.HasDefault {
			return flag.Default, nil // kong took the blank for a value
		}
	}
	return nil, nil
}

// secret returns the value of a secret setting, nil if it is not set. If the environment has NAME or NAME_FILE, both names in
// the file are ignored.
func (r Resolver) secret(flag *kong.Flag) any {
	for _, from := range []struct {
		lookup Environment
		open   bool
	}{{lookup: r.Env}, {r.File.lookup, r.File.open}} {
		for _, name := range flag.Envs {
			text, _ := from.lookup(name)
			file, _ := from.lookup(name + FileSuffix)
			if given := (Secret{text, file, from.open}); given.IsSet() {
				return given
			}
		}
	}
	return nil
}

// Origin says where a setting comes from: flags, environment, file and its path, or default.
type Origin struct{ Setting, From string }

// Origins finds where each setting of the selected command comes from, sorted by name. It does not read values.
func (r Resolver) Origins(parsed *kong.Context) []Origin {
	typed := map[*kong.Flag]bool{}
	for _, p := range parsed.Path {
		if p.Flag != nil && !p.Resolved {
			typed[p.Flag] = true
		}
	}
	var all []Origin
	for _, flag := range parsed.Flags() {
		if len(flag.Envs) > 0 {
			all = append(all, r.origin(flag, typed[flag]))
		}
	}
	slices.SortFunc(all, func(a, b Origin) int { return strings.Compare(a.Setting, b.Setting) })
	return all
}

// Given returns the settings of the selected command that are not defaults, in the form of a file of settings. The values are
// not checked, and secrets are among them.
func (r Resolver) Given(parsed *kong.Context) map[string]string {
	given := map[string]string{}
	set := map[string]bool{}
	for _, o := range r.Origins(parsed) {
		set[strings.TrimSuffix(o.Setting, FileSuffix)] = o.From != "default"
	}
	for _, flag := range parsed.Flags() {
		if len(flag.Envs) == 0 || flag.Envs[0] == "MISSINGKBS_CONFIG" || !set[strings.TrimSuffix(flag.Envs[0], FileSuffix)] {
			continue
		}
		name := flag.Envs[0]
		s, secret := reflect.TypeAssert[Secret](flag.Target)
		switch {
		case secret && s.file != "":
			given[name+FileSuffix] = s.file
		case secret:
			given[name] = s.text
		default:
			given[name] = fmt.Sprint(flag.Target.Interface())
		}
	}
	return given
}

func (r Resolver) origin(flag *kong.Flag, typed bool) Origin {
	names := slices.Clone(flag.Envs)
	if IsSecret(flag) {
		names = append(names, flag.Envs[0]+FileSuffix)
	}
	if typed {
		return Origin{names[0], "flags"}
	}
	for _, name := range names {
		if v, ok := r.Env(name); ok && (v != "" || flag.Tag.Has("blank")) {
			return Origin{name, "environment"}
		}
	}
	for _, name := range names {
		if _, ok := r.File.lookup(name); ok {
			return Origin{name, "file " + r.File.Path}
		}
	}
	return Origin{names[0], "default"}
}
