package main

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

// secret is a setting whose value is nobody's business: a value, or the file that holds it. A setting NAME of this type
// is given as NAME, with the value or "@/path/to/file", or as NAME_FILE with the path alone. It does not print.
type secret struct {
	text string // of NAME
	file string // of NAME_FILE
	open bool   // given in a file of settings that everybody may read
}

// fileSuffix makes the name of a secret setting the name of the one that takes its file.
const fileSuffix = "_FILE"

// maxSecret bounds a file that is read as a secret: whatever is longer was not meant.
const maxSecret = 64 << 10

// Decode is part of [kong.MapperValue]. Of the command line and the environment kong knows the text alone; the rest
// comes from [settings.Resolve].
func (s *secret) Decode(ctx *kong.DecodeContext) error {
	t, err := ctx.Scan.PopValue("secret")
	if err != nil {
		return err
	}
	if both, ok := t.Value.(secret); ok {
		*s = both
		return nil
	}
	*s = secret{text: t.String()}
	return nil
}

// String is part of [fmt.Stringer].
func (secret) String() string { return "(hidden)" }

// GoString is part of [fmt.GoStringer].
func (secret) GoString() string { return "(hidden)" }

// set reports whether anything was given.
func (s secret) set() bool { return s.text != "" || s.file != "" }

// isSecret reports whether a flag takes a [secret].
func isSecret(flag *kong.Flag) bool {
	_, ok := reflect.TypeAssert[secret](flag.Target)
	return ok
}

// secret reads a secret from where it is.
func (m *mistakes) secret(setting string, s secret) string {
	path, isPath := strings.CutPrefix(s.text, "@")
	switch {
	case s.text != "" && s.file != "":
		m.add(setting, "and %s are both set: leave one of them out", setting+fileSuffix)
		return ""
	case s.file != "":
		setting, path, isPath = setting+fileSuffix, s.file, true
	}
	if !isPath {
		if s.open {
			m.warn(setting, "stands in a file of settings that everybody on this machine can read: chmod o-rwx mends that")
		}
		return m.plain(setting, s.text)
	}
	text, open, err := readSecret(path)
	if err != nil {
		// Not the path: it may be the secret itself, put into the wrong variable.
		m.add(setting, "names a file that %v", err)
		return ""
	}
	if open {
		m.warn(setting, "names a file that everybody on this machine can read: chmod o-rwx mends that")
	}
	return m.plain(setting, text)
}

// plain refuses what no secret of ours holds, which would only be found out much later.
func (m *mistakes) plain(setting, text string) string {
	if strings.ContainsFunc(text, unicode.IsControl) {
		m.add(setting, "holds a line break or another character that cannot be typed: it takes the secret alone, on one line")
		return ""
	}
	return text
}

// readSecret reads the file of a secret, without the white space around it, and says whether everybody may. Its errors
// go on after "a file that", and do not name it.
func readSecret(path string) (text string, open bool, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", false, fmt.Errorf("cannot be read: %w", cause(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", false, fmt.Errorf("cannot be read: %w", cause(err))
	}
	raw, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	switch {
	case err != nil:
		return "", false, fmt.Errorf("cannot be read: %w", cause(err))
	case len(raw) > maxSecret:
		return "", false, fmt.Errorf("is larger than %d KiB, which no secret is", maxSecret>>10)
	}
	text = strings.TrimSpace(strings.TrimPrefix(string(raw), "\ufeff")) // Windows' editor puts a mark in front
	if text == "" {
		return "", false, errors.New("is empty")
	}
	return text, openToAll(info), nil
}

// openToAll reports whether everybody on the machine may read a file. Windows does not say it in these bits.
func openToAll(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0
}

// cause is an error about a file without the file's name.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// guardFile warns of a file with secrets in it that everybody may read.
func (m *mistakes) guardFile(setting, path string) {
	if info, err := os.Stat(path); path != "" && err == nil && openToAll(info) {
		m.warn(setting, "names a file that everybody on this machine can read: chmod o-rwx mends that")
	}
}

// names are those by which a setting is known to the environment and the file of settings.
func names(flag *kong.Flag) []string {
	all := slices.Clone(flag.Envs)
	if isSecret(flag) {
		for _, name := range flag.Envs {
			all = append(all, name+fileSuffix)
		}
	}
	return all
}
