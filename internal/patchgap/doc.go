// Package patchgap is which updates are missing, and on how many devices: a [Snapshot] of the rows that Defender gave, the
// [Update] that all counts are made of, and how two snapshots differ ([Diff]). An [Update] is one KB and the devices that lack
// it. The rows of one software add up over its OS builds. Several software ids that share a KB do not add up: the one with most
// devices counts. Snapshots keep Defender's rows. The package never takes silence for good news. Software that could not be
// read is compared with nothing, and an update counts as closed only when two readings agree and no newer update took its
// place. It knows neither who reads the rows nor who is told about them.
package patchgap
