// Package filepages gives back the pages of the program's own file that only its start has used. The system maps a page
// again when it is needed. The package knows nothing of what the program does.
package filepages
