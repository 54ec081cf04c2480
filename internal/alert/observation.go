package alert

import (
	"maps"
	"slices"
	"time"
)

// maxSubjects bounds the subjects of an event that one alert lists.
const maxSubjects = 20

// Observation is what one process observed of a condition since the last check. The zero value is nothing.
type Observation struct {
	First, Last time.Time // when the condition was met
	Count       int
	Sources     []string
	Recovered   map[string]time.Time // when each source met the opposite, for the first time after Last
	Subjects    []string
	Omitted     int
}

// add merges an observation with the one before it.
func (o Observation) add(before Observation) Observation {
	if before.Count > 0 || len(before.Subjects) > 0 {
		if o.First.IsZero() || before.First.Before(o.First) {
			o.First = before.First
		}
		if before.Last.After(o.Last) {
			o.Last = before.Last
		}
	}
	recovered := map[string]time.Time{}
	maps.Copy(recovered, o.Recovered)
	if o.Count == 0 { // a recovery before the condition was met again says nothing
		maps.Copy(recovered, before.Recovered) // the first time counts
	}
	o.Count += before.Count
	o.Sources = union(before.Sources, o.Sources)
	o.Recovered = recovered
	subjects := append(slices.Clone(before.Subjects), o.Subjects...)
	kept := min(maxSubjects, len(subjects))
	o.Subjects, o.Omitted = subjects[:kept], o.Omitted+before.Omitted+len(subjects)-kept
	return o
}

// union returns the elements of two lists, sorted, each once.
func union(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(a), b...))))
}
