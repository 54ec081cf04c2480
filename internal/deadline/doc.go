// Package deadline says how old a missing update is and by when it is to be installed: the policy that an operator sets, the
// class and the due day of an update, by how many days it is overdue, and the monthly cycles that begin on Patch Tuesday. All
// of it counts calendar days of one time zone, so that no clock change moves a day. It knows neither where the dates of an
// update come from nor who is told.
package deadline
