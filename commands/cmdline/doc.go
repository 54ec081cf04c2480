// Package cmdline reads and writes command lines. [Read] splits a line that a person typed or pasted into words,
// handling quotes, links and lookalike characters. [IDs] finds KB numbers and CVE ids in any text, [DeviceNames] the
// devices that words name. [Split] and [Join] read and write the lines of buttons. [Options] parses options anywhere
// between the words. [Closest] finds the word that a misspelt one means. The package knows no command and no software.
package cmdline
