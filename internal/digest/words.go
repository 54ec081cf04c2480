package digest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// lead explains the verdict in a sentence or two: first what is exploited, if that is known.
func (r Report) lead() string { return view.JoinSentences(r.attackWords(), r.changedWords()) }

// changedWords returns sentences on what changed and how much is missing.
func (r Report) changedWords() string {
	state := view.JoinSentences(r.overdueWords(), gapWords(r.After, r.gap()), r.foldWords())
	switch news := r.news(); {
	case len(r.After.Software) == 0 && len(r.After.Unread) == 0:
		return "No software in this tenant matches what this digest watches."
	case r.first():
		return view.JoinSentences(state, r.acceptedWords(), "This is the first digest: there is nothing to compare with yet.")
	case news == "" && len(r.back()) > 0:
		return fmt.Sprintf("%s. %s", upperFirst(noLonger(len(r.back()))), view.JoinSentences(state, r.acceptedWords()))
	case news == "":
		if where := inWhatWasRead(r.After); where != "" {
			return view.JoinSentences(r.unchanged()+where+".", r.overdueWords(), r.gap().Words("the filter", " there"), r.foldWords(), r.acceptedWords())
		}
		return view.JoinSentences(r.unchanged()+".", state, r.acceptedWords())
	default:
		return view.JoinSentences(upperFirst(news)+".", state, r.acceptedWords())
	}
}

func noLonger(n int) string {
	if n == 1 {
		return "1 update is no longer accepted"
	}
	return plain(n) + " updates are no longer accepted"
}

// news counts the changes in a few words; "" if nothing changed.
func (r Report) news() string {
	c := r.changes()
	var words []string
	for _, m := range []struct {
		changes []patchgap.Change
		verb    string
	}{
		{c.New, "new"},
		{c.Reopened, "reopened"},
		{c.Added, "in software not counted last time"},
		{c.Grew, "grew"},
		{c.Rose, "rose above the filter"},
		{c.Shrank, "shrank"},
		{c.Fell, "fell below the filter"},
		{c.Closed, "closed"},
		{c.Unlisted, "no longer listed"},
	} {
		if len(m.changes) > 0 {
			words = append(words, plain(len(m.changes))+" "+m.verb)
		}
	}
	if turned := len(r.turned()); turned > 0 {
		words = append([]string{plain(turned) + " now exploited"}, words...)
	}
	return view.Join(words)
}

// unchanged says how little changed if no changes are listed.
func (r Report) unchanged() string {
	was, is := r.gapBefore(), r.gap()
	switch {
	case patchgap.Sum(was.Shown) != patchgap.Sum(is.Shown):
		return "No significant change"
	case patchgap.Sum(was.Hidden) != patchgap.Sum(is.Hidden):
		return "Nothing that passes the filter has changed"
	}
	return "Nothing has changed"
}

// gapWords says how large a patch gap is, what the filter hides, and whether it is complete.
func gapWords(at patchgap.Snapshot, gap patchgap.Gap) string {
	return gap.Words("the filter", inWhatWasRead(at))
}

// inWhatWasRead returns the clause that limits a sentence to what was read.
func inWhatWasRead(s patchgap.Snapshot) string {
	if s.Whole() {
		return ""
	}
	return " in what could be read"
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// unreadFacts names what could not be read, grouped by reason.
func unreadFacts(s patchgap.Snapshot) view.Facts {
	reasons := map[string][]string{}
	for _, u := range s.Unread {
		reasons[u.Reason] = append(reasons[u.Reason], u.Software)
	}
	var facts view.Facts
	for reason, software := range reasons {
		slices.Sort(software)
		facts = append(facts, view.Fact{Name: "Could not read", Value: join(software, maxUnread, ", ") + ": " + reason + " Nothing is known about it, and it is not counted."})
	}
	slices.SortFunc(facts, func(a, b view.Fact) int { return cmp.Compare(a.Value, b.Value) })
	if len(s.Partial) > 0 {
		facts = append(facts, partialFact(s))
	}
	return facts
}

// partialFact counts unreadable rows.
func partialFact(s patchgap.Snapshot) view.Fact {
	of := make([]string, len(s.Partial))
	for i, p := range s.Partial {
		of[i] = p.Software
	}
	slices.Sort(of)
	return view.Fact{Name: "Could not read", Value: fmt.Sprintf(
		"%s could not be read (%s). Which updates they are about is unknown: they are not counted, and no update of this software is called closed.",
		plural(s.UnreadableRows(), "row"), join(of, maxUnread, ", "))}
}

// join joins the first words and counts the rest.
func join(words []string, most int, sep string) string {
	var b strings.Builder
	for i, w := range words {
		if i == most || b.Len()+len(w) > maxLine && i > 0 {
			fmt.Fprintf(&b, "%sand %d more", sep, len(words)-i)
			break
		}
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(w)
	}
	return b.String()
}

// note explains what the page leaves out and how it counts.
func (r Report) note() string {
	var notes []string
	shown := r.gap().Shown
	if rest := len(r.install()) - maxGaps; rest > 0 {
		more := plural(rest, "more update")
		if len(r.contained()) > 0 {
			more += " to install"
		}
		notes = append(notes, more+" in the details.")
	}
	if note := sharedNote(shown); note != "" {
		notes = append(notes, note)
	}
	if len(r.progress()) > 0 {
		notes = append(notes, "Open installs: one for each device and update that it lacks.")
	}
	if len(r.After.Unread) > 0 && len(r.History) > 0 {
		notes = append(notes, "The chart counts what could not be read as it was last known.")
	}
	return strings.Join(notes, " ")
}

// sharedNote explains how devices are counted for updates that several software ids share; "" if there are none.
func sharedNote(updates []patchgap.Update) string {
	if !slices.ContainsFunc(updates, patchgap.Update.Shared) {
		return ""
	}
	return "Of products that share an update, the one with most devices counts: at least that many lack it."
}
