package config

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
	"github.com/hbollon/go-edlib"

	"github.com/missingkbs/missingkbs/internal/yamlfault"
)

// File holds the settings of a YAML file, by the names of their environment variables.
type File struct {
	Path string // empty if there is none
	Err  error  // why the file cannot be used; then it has no settings

	open   bool // all users of the machine can read it
	values map[string]string
}

// ReadFile reads the file of --config or MISSINGKBS_CONFIG. The file is optional. Errors are in [File.Err].
func ReadFile(args []string, env Environment) *File {
	f := &File{Path: filePath(args, env), values: map[string]string{}}
	if f.Path == "" {
		return f
	}
	if info, err := os.Stat(f.Path); err == nil {
		f.open = worldReadable(info)
	}
	raw, err := os.ReadFile(f.Path)
	if err != nil {
		f.Err = fmt.Errorf("--config or MISSINGKBS_CONFIG names a file that cannot be read: %s: %w", f.Path, withoutPath(err))
		return f
	}
	var values map[string]any
	if err := yaml.Unmarshal(raw, &values); err != nil {
		f.Err = fmt.Errorf("the file of settings %s: %s", f.Path, yamlfault.Text(err))
		return f
	}
	for name, v := range values {
		if !settingForm.MatchString(name) { // it may be a secret, or the file another one
			f.Err = fmt.Errorf("the file of settings %s: a name in it is no name of a setting; is it the right file? It holds lines such as LOG_LEVEL: \"debug\"", f.Path)
			clear(f.values)
			return f
		}
		switch v.(type) {
		case string, int, int64, uint64, float64, bool:
			f.values[name] = fmt.Sprint(v)
		default:
			f.Err = fmt.Errorf("the file of settings %s: %s takes a single value, such as %s: \"…\"", f.Path, name, name)
			clear(f.values)
			return f
		}
	}
	return f
}

// settingForm is how names of settings look. What looks otherwise is not repeated in messages.
var settingForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

// filePath returns the path of the file of settings. The flag wins over the environment.
func filePath(args []string, env Environment) string {
	path, _ := env("MISSINGKBS_CONFIG")
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			path = v
		}
		if a == "--config" && i+1 < len(args) {
			path = args[i+1]
		}
	}
	return path
}

// Check sets [File.Err] if the file has names that are not settings of any command.
func (f *File) Check(app *kong.Application) {
	if f.Err != nil {
		return
	}
	known := Names(app.Node)
	var unknown []error
	for name := range f.values {
		if slices.Contains(known, name) {
			continue
		}
		err := fmt.Errorf("the file of settings %s: there is no setting %s", f.Path, name)
		if similar, score := mostSimilar(name, known); score > 0.85 {
			err = fmt.Errorf("%w; did you mean %s?", err, similar)
		}
		unknown = append(unknown, err)
	}
	slices.SortFunc(unknown, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	f.Err = errors.Join(unknown...)
}

func (f *File) lookup(name string) (string, bool) {
	v, ok := f.values[name]
	return v, ok
}

func mostSimilar(name string, known []string) (similar string, score float32) {
	for _, k := range known {
		if s := edlib.JaroWinklerSimilarity(strings.ToUpper(name), k); s > score {
			similar, score = k, s
		}
	}
	return similar, score
}

// Names returns the names of all settings of a command and its subcommands.
func Names(n *kong.Node) []string {
	var all []string
	for _, f := range n.Flags {
		all = append(all, names(f)...)
	}
	for _, c := range n.Children {
		all = append(all, Names(c)...)
	}
	return all
}
