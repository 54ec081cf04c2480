package commands

import "github.com/missingkbs/missingkbs/commands/search"

// Aliases are what people call software, and the words of its name.
func Aliases() [][2][]string {
	var all [][2][]string
	for _, a := range search.Aliases() {
		all = append(all, [2][]string{a.Typed, a.Name})
	}
	return all
}
