package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"unicode"

	"github.com/alecthomas/kong"
)

// Secret is a setting that is never shown. The setting NAME holds the value itself or "@/path/to/file"; NAME_FILE holds the
// path alone. It formats as "(hidden)".
type Secret struct {
	text string // of NAME
	file string // of NAME_FILE
	open bool   // from a file of settings that all users of the machine can read
}

// NewSecret returns a secret for the text of its setting: a value, or "@" and a path.
func NewSecret(text string) Secret { return Secret{text: text} }

// FileSuffix turns the name of a secret setting into that of the setting for its file.
const FileSuffix = "_FILE"

// maxSecret bounds the file of a secret. A longer file was named by mistake.
const maxSecret = 64 << 10

// Decode implements [kong.MapperValue]. The command line and the environment provide only text; [Resolver] provides a
// whole Secret.
func (s *Secret) Decode(ctx *kong.DecodeContext) error {
	t, err := ctx.Scan.PopValue("secret")
	if err != nil {
		return err
	}
	if whole, ok := t.Value.(Secret); ok {
		*s = whole
		return nil
	}
	*s = Secret{text: t.String()}
	return nil
}

// String implements [fmt.Stringer].
func (Secret) String() string { return "(hidden)" }

// GoString implements [fmt.GoStringer].
func (Secret) GoString() string { return "(hidden)" }

// IsSet returns true if the user set a value or a file.
func (s Secret) IsSet() bool { return s.text != "" || s.file != "" }

// IsSecret returns true if the flag takes a [Secret].
func IsSecret(flag *kong.Flag) bool {
	_, ok := reflect.TypeAssert[Secret](flag.Target)
	return ok
}

// Secret returns the value of a secret, which it may read from a file. After an error it returns "".
func (e *Errors) Secret(setting string, s Secret) string {
	path, isPath := strings.CutPrefix(s.text, "@")
	switch {
	case s.text != "" && s.file != "":
		e.Add(setting, "and %s are both set: leave one of them out", setting+FileSuffix)
		return ""
	case s.file != "":
		setting, path, isPath = setting+FileSuffix, s.file, true
	}
	if !isPath {
		if s.open {
			e.warn(setting, "is in a file of settings that all users of this machine can read: run chmod o-rwx on the file")
		}
		return e.oneLine(setting, s.text)
	}
	text, open, err := readSecret(path)
	if err != nil {
		// The path is left out: it may be the secret itself, in the wrong variable.
		e.Add(setting, "names a file that %v", err)
		return ""
	}
	if open {
		e.warn(setting, "names a file that all users of this machine can read: run chmod o-rwx on the file")
	}
	return e.oneLine(setting, text)
}

// oneLine rejects control characters. No valid secret has any, and the service would refuse it much later.
func (e *Errors) oneLine(setting, text string) string {
	if strings.ContainsFunc(text, unicode.IsControl) {
		e.Add(setting, "holds a line break or another character that cannot be typed: it takes the secret alone, on one line")
		return ""
	}
	return text
}

// readSecret reads the file of a secret and trims white space. It returns true if all users of the machine can read it. Its
// errors continue the words "a file that" and leave out the path.
func readSecret(path string) (text string, open bool, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", false, fmt.Errorf("cannot be read: %w", withoutPath(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", false, fmt.Errorf("cannot be read: %w", withoutPath(err))
	}
	raw, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	switch {
	case err != nil:
		return "", false, fmt.Errorf("cannot be read: %w", withoutPath(err))
	case len(raw) > maxSecret:
		return "", false, fmt.Errorf("is larger than %d KiB, which no secret is", maxSecret>>10)
	}
	text = strings.TrimSpace(strings.TrimPrefix(string(raw), "\ufeff")) // editors on Windows write a byte order mark
	if text == "" {
		return "", false, errors.New("is empty")
	}
	return text, worldReadable(info), nil
}

// worldReadable returns true if all users of the machine can read a file. On Windows the mode does not tell.
func worldReadable(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0
}

// withoutPath returns the cause of an error about a file, which does not name the file.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// warnOpenFile warns of a file with secrets that all users of the machine can read.
func (e *Errors) warnOpenFile(setting, path string) {
	if info, err := os.Stat(path); path != "" && err == nil && worldReadable(info) {
		e.warn(setting, "names a file that all users of this machine can read: run chmod o-rwx on the file")
	}
}

// names returns the names of a setting in the environment and in the file of settings.
func names(flag *kong.Flag) []string {
	all := slices.Clone(flag.Envs)
	if IsSecret(flag) {
		for _, name := range flag.Envs {
			all = append(all, name+FileSuffix)
		}
	}
	return all
}
