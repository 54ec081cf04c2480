// Package deadline works out how old a missing update is and when it is due: from the policy that an operator sets it
// derives the class and due day of an update, how many days it is overdue, and the monthly cycles that begin on Patch
// Tuesday. It counts calendar days in one time zone, so that clock changes move no day. It knows neither where the
// dates of an update come from nor who reads the result.
package deadline
