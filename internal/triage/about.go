package triage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// About returns everything known about one update, for its own page. What contains it comes from the list of updates
// that are missing with it; an update outside the list still has its own facts. Without feeds the facts only name the
// updates that contain it.
func (t *Triage) About(kb string) view.Facts {
	f := t.of(kb)
	if len(f.In)+len(f.Contains) == 0 {
		f.Facts, f.Known = t.snapshot.Update(kb)
	}
	var facts view.Facts
	if t.Known() {
		facts = append(t.attacks(f), view.Fact{Name: SeverityTitle, Value: f.severityWords(true)})
	}
	if f.Facts.Restart != "" {
		facts = append(facts, view.Fact{Name: "Restart", Value: strings.ToLower(f.Facts.Restart)})
	}
	if !f.Facts.Released.IsZero() {
		facts = append(facts, view.Fact{Name: "Released", Value: "no later than " + f.Facts.Released.Format("2 Jan 2006")})
	}
	if len(f.In) > 0 {
		facts = append(facts, view.Fact{Name: "Contained in", Value: inWords(f.In) + " (" + whyWords(f.In) + ")" + f.partly()})
	}
	if len(f.Contains) > 0 {
		facts = append(facts, view.Fact{Name: "Contains", Value: f.containsWords()})
	}
	return facts
}

// of returns what is known about the update of a KB.
func (t *Triage) of(kb string) *Finding {
	return t.Finding(patchgap.Update{Rows: []patchgap.Row{{Key: patchgap.Key{KB: kb}}}})
}

// partly says where a contained update still has to be installed, because nothing contains it there.
func (f *Finding) partly() string {
	if f.Whole {
		return ""
	}
	return ", not on every build"
}

// attacks returns the facts on who calls an update exploited.
func (t *Triage) attacks(f *Finding) view.Facts {
	if !f.State().Exploited() {
		word := string(Unknown) + ": MSRC does not list this update"
		if f.Known {
			word = "no: neither CISA nor MSRC calls a CVE that it fixes exploited"
		}
		return append(view.Facts{{Name: "Exploited", Value: word}}, f.attacksInside()...)
	}
	var facts view.Facts
	for _, e := range f.Facts.KEV {
		facts = append(facts, view.Fact{Name: "Exploited, by CISA", Value: e.CVE + ", " + entryWords(e)})
	}
	if len(f.Facts.MSRC) > 0 {
		facts = append(facts, view.Fact{Name: "Exploited, by MSRC", Value: strings.Join(f.Facts.MSRC, ", ")})
	}
	return append(facts, f.attacksInside()...)
}

// attacksInside names the exploited updates that f contains: installing f closes them too.
func (f *Finding) attacksInside() view.Facts {
	var inside []string
	for _, c := range f.Contains {
		if c.State().Exploited() {
			inside = append(inside, catalog.Label(c.KB())+" ("+c.exploits()+")")
		}
	}
	if len(inside) == 0 {
		return nil
	}
	return view.Facts{{Name: "Exploited, and contained in it", Value: strings.Join(inside, "; ")}}
}

// Left returns the exploited updates that one contains and that covered does not report as covered, for example by an
// accepted risk: accepting the one leaves them as they are.
func (t *Triage) Left(u patchgap.Update, covered func(patchgap.Update) bool) []*Finding {
	var left []*Finding
	for _, c := range t.Finding(u).Contains {
		if c.State().Exploited() && !covered(c.Update) {
			left = append(left, c)
		}
	}
	return left
}

// LeftWords says in a sentence that the acceptance of an update leaves these out, which it contains; "" for none.
func LeftWords(left []*Finding) string {
	var names []string
	for _, f := range left {
		names = append(names, catalog.Label(f.KB())+" ("+f.exploits()+")")
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return "Not accepted with it: " + names[0] + ", which it contains and which is exploited. That one still counts until it is installed or accepted itself."
	}
	return "Not accepted with it: " + view.Join(names) + ", which it contains and which are exploited. They still count until they are installed or accepted themselves."
}

// exploits says in a few words which CVEs of an update are exploited.
func (f *Finding) exploits() string {
	if len(f.Facts.KEV) > 0 {
		e := f.Facts.KEV[0]
		if e.Due.IsZero() {
			return e.CVE + ", KEV"
		}
		return e.CVE + ", KEV, due " + e.Due.Format("2 Jan 2006")
	}
	return f.Facts.MSRC[0] + ", MSRC"
}

// entryWords formats the entry of CISA's list about a CVE.
func entryWords(e advisory.Exploited) string {
	var words []string
	if !e.Due.IsZero() {
		words = append(words, "due "+e.Due.Format("2 Jan 2006"))
	}
	if !e.Added.IsZero() {
		words = append(words, "listed since "+e.Added.Format("2 Jan 2006"))
	}
	if e.Ransomware {
		words = append(words, "used by ransomware")
	}
	if e.Triage {
		words = append(words, "look for traces of an attack first (forensic triage)")
	}
	if len(words) == 0 {
		return "on the KEV list"
	}
	return strings.Join(words, ", ")
}

// AboutWords returns a sentence on whether an update, or one that it contains, is exploited; "" if that is unknown or
// not so.
func (t *Triage) AboutWords(kb string) string {
	f := &Finding{Contains: t.of(kb).Contains}
	f.Facts, f.Known = t.snapshot.Update(kb)
	if worst := f.Worst(); worst != f && !f.State().Exploited() && worst.State().Exploited() {
		return fmt.Sprintf("It contains %s, which fixes a vulnerability under attack (%s).", catalog.Label(worst.KB()), worst.exploits())
	}
	switch f.State() {
	case KEV:
		words := "It fixes a vulnerability under attack"
		if due := f.Facts.KEV[0].Due; !due.IsZero() {
			words += ": KEV, due " + due.Format("2 Jan 2006")
		}
		return words + "."
	case MSRC:
		return "It fixes a vulnerability that MSRC calls exploited."
	}
	return ""
}

// AboutSeverity explains in a sentence why severities of an update differ: MSRC's, that of an update it contains, and
// Defender's worst for its CVEs on these devices, which may be empty. It returns "" if all agree.
func (t *Triage) AboutSeverity(kb, defender string) string {
	f := t.of(kb)
	if len(f.In)+len(f.Contains) == 0 {
		f.Facts, f.Known = t.snapshot.Update(kb)
	}
	own, worst := f.Facts.Severity, f.Severest()
	differs := own != "" && defender != "" && !sameSeverity(own, defender)
	if worst == f && !differs {
		return ""
	}
	var calls, says []string
	if own != "" {
		calls = append(calls, "it "+strings.ToLower(own))
	}
	if worst != f {
		calls = append(calls, fmt.Sprintf("%s, which it contains, %s (lists show the worst)", catalog.Label(worst.KB()), strings.ToLower(worst.Facts.Severity)))
	}
	says = append(says, "MSRC calls "+strings.Join(calls, ", and "))
	if differs {
		says = append(says, fmt.Sprintf("Defender rates the worst of its CVEs on your devices %s, on a scale of its own", strings.ToLower(view.OneLine(defender))))
	}
	return "Severities differ: " + strings.Join(says, "; ") + "."
}

// sameSeverity compares a severity of MSRC's (Critical, Important, Moderate, Low) with one of Defender's (Critical, High, Medium,
// Low).
func sameSeverity(msrc, defender string) bool {
	rank := slices.Index([]string{"low", "medium", "high", "critical"}, strings.ToLower(strings.TrimSpace(defender)))
	return rank >= 0 && advisory.SeverityRank(msrc) == rank+1
}

// AboutCVE returns what the feeds say about a CVE, and a sentence if it is exploited; nothing without feeds. CISA's
// list is complete, so a CVE that is not on it is "not listed". MSRC's documents only have CVEs that an update of
// theirs fixes.
func AboutCVE(s *advisory.Snapshot, cve string) (facts view.Facts, words string) {
	if s == nil {
		return nil, ""
	}
	if e, ok := s.Listed(cve); ok {
		facts = append(facts, view.Fact{Name: "Exploited, by CISA", Value: entryWords(e)})
		words = "It is under attack: CISA lists it as exploited."
	} else if !s.KEV.IsZero() {
		facts = append(facts, view.Fact{Name: "Exploited, by CISA", Value: "not listed"})
	}
	c, ok := s.CVE(cve)
	switch {
	case !ok:
		return append(facts, view.Fact{Name: "Exploited, by MSRC", Value: string(Unknown) + ": its documents do not list this CVE"}), words
	case c.Exploited:
		facts = append(facts, view.Fact{Name: "Exploited, by MSRC", Value: "yes"})
		if words == "" {
			words = "It is under attack: MSRC calls it exploited."
		}
	default:
		facts = append(facts, view.Fact{Name: "Exploited, by MSRC", Value: "not when it was published"})
	}
	if c.Severity != "" {
		facts = append(facts, view.Fact{Name: SeverityTitle, Value: c.Severity})
	}
	if c.Disclosed {
		facts = append(facts, view.Fact{Name: "Disclosed before the update", Value: "yes"})
	}
	return facts, words
}
