// Package yamlfault says in plain words why a file is no YAML, and in which line. It knows the errors of the YAML library. It
// repeats nothing of the file, which may hold secrets, and knows nothing of what the file is about.
package yamlfault

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// Text returns what is wrong, and what to do about it. The file takes one value for each name, such as NAME: "value".
func Text(err error) string {
	fault, ok := errors.AsType[yaml.Error](err)
	if !ok {
		return "it cannot be read as YAML"
	}
	line := "it"
	if at := fault.GetToken(); at != nil && at.Position != nil {
		line = fmt.Sprintf("line %d", at.Position.Line)
	}
	if strings.Contains(fault.GetMessage(), "already defined") { // the parser has no type for it
		return line + " has a name that an earlier line has, too: keep one of the two"
	}
	if _, ok := errors.AsType[*yaml.SyntaxError](err); ok {
		return line + ` is no valid YAML: write NAME: "value", with a space after the colon, quotes around a value that is more than letters and digits, and no tabs`
	}
	return line + ` does not begin with a name: write NAME: "value"`
}
