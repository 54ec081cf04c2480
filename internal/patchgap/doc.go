// Package patchgap represents which updates are missing and on how many devices: a [Snapshot] of Defender's rows, the
// [Update] that everything counts in, and how two snapshots differ ([Diff]). An [Update] is one KB and the devices that
// miss it. The rows of one software add up over its OS builds. Several software ids that share a KB do not add up: the
// one with most devices counts. The package never takes silence for good news. Software that could not be read is not
// compared, and an update only counts as closed when two readings agree and no newer update took its place. It knows
// neither who reads the rows nor who is told about them.
package patchgap
