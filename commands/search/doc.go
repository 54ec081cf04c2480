// Package search finds software by what people type: ids, patterns, names, aliases and words with typing errors. An [Index]
// keeps the tenant's software list prepared; a [Target] is one thing that the words of a question name. The package knows
// the software list of Defender. It does not know commands, nor the words for a search that finds nothing.
package search
