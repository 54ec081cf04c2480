// Package ui serves the page of the sandbox: its built files, the live feed of changes, and the guard that refuses other
// sites. Package sandbox adds what the page reads and does. The source of the page is TypeScript, in the folder page.
package ui

import (
	"embed"
	"io/fs"
)

// built is the built web page; its source is beside it.
//
//go:embed all:page/dist
var built embed.FS

// Files returns the files of the built web page.
func Files() fs.FS {
	dist, err := fs.Sub(built, "page/dist")
	if err != nil {
		panic(err) // the name is a constant
	}
	return dist
}
