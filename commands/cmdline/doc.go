// Package cmdline reads and writes command lines. [Read] cuts what a person typed or pasted into words, whatever quotes,
// links and lookalike characters stand around them. [Split] and [Join] are for lines that this program writes on buttons.
// [Closest] finds the word that a misspelt one means. The package knows no command and no software.
package cmdline
