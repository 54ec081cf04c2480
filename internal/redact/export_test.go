package redact

// Forms names all forms.
func Forms() []string {
	var names []string
	for _, f := range forms.forms {
		names = append(names, f.name)
	}
	return names
}
