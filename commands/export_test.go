package commands

// Aliases are what people call software, and the words of its name.
func Aliases() [][2][]string {
	var all [][2][]string
	for _, a := range aliases() {
		all = append(all, [2][]string{a.typed, a.name})
	}
	return all
}
