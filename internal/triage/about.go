package triage

import (
	"fmt"
	"strings"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// About is all that is known of one update, for its own page. The list is that of all updates that are missing with it,
// for what contains it; an update that is not in the list has facts all the same. Without data of feeds it says only which
// updates contain it.
func (t *Triage) About(kb string) view.Facts {
	f := t.of(kb)
	if len(f.In)+len(f.Contains) == 0 {
		f.Facts, f.Known = t.snapshot.Update(kb)
	}
	var facts view.Facts
	if t.Known() {
		facts = append(t.attacks(f), view.Fact{Name: "Severity", Value: f.severityWords(true)})
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

// of returns what is known about an update, by its KB.
func (t *Triage) of(kb string) *Finding {
	return t.Finding(patchgap.Update{Rows: []patchgap.Row{{Key: patchgap.Key{KB: kb}}}})
}

// partly says that a contained update is to be installed where no other contains it.
func (f *Finding) partly() string {
	if f.Whole {
		return ""
	}
	return ", not on every build"
}

// attacks are the facts that say by whose word an update is exploited.
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

// attacksInside says which updates that one contains are exploited: installing it closes that too.
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

// exploits says what of an update is exploited, in a few words.
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

// entryWords is what CISA's list says of a CVE.
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

// AboutWords says in a sentence whether one update is exploited, or one that it contains; "" if that is unknown or no.
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

// AboutCVE is what the feeds say of a CVE, and in a sentence that it is under attack; nothing without data. CISA's list is
// whole, so what is not on it is not listed; MSRC's documents have only what an update of theirs fixes.
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
		facts = append(facts, view.Fact{Name: "Severity, by MSRC", Value: c.Severity})
	}
	if c.Disclosed {
		facts = append(facts, view.Fact{Name: "Disclosed before the update", Value: "yes"})
	}
	return facts, words
}
