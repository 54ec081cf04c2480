// Package search finds software by what people type: ids, patterns, names, aliases and misspelt words. An [Index] keeps
// the tenant's software list prepared; a [Target] is one thing that the words of a question name. The package knows
// Defender's software list. It knows neither commands nor how to explain a search without results.
package search
