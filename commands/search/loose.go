package search

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Loose words are left out where no software matches with them: those of a sentence, and editions and versions, which Defender
// does not list apart. Years stay, since they are in names: a person who asks for SQL Server 2014 does not mean SQL Server 2019.

// sentence has the words that make a text a sentence, and say nothing of what is asked about.
var sentence = set(`a an the this that these those it its it's is are am was were be been being isn't aren't
	i i'm we we're you you're they my our your their me us them he she
	do does did don't doesn't have has had having can could would will should shall may might must
	what what's which which's who whose when where where's why how how's many much
	on in of for from at by with about against to into and or any some every there there's if so then now today currently still yet
	not no without under yes know think want wants like need needs check see give gives tell show shows list find get got look looking lookup display
	please pls plz hey hi hello thanks thank
	run runs running use uses using affected affect affects apply applies bad good safe secure protected vulnerable up date outstanding
	installed install installs patch fix fixes say says mean means`)

// domain has the words for what this program is about. Beside a name they add nothing.
var domain = set(`update updates patches kb kbs missing miss misses lack lacks lacking cve cves vulnerability vulnerabilities weakness weaknesses
	hotfix hotfixes fixes software product products program programs security status everything anything something`)

// editions has the words for editions, releases and processors.
var editions = set(`pro professional enterprise ent home education edu business ultimate workstation workstations standard std datacenter essentials
	core server-core express developer evaluation eval web community edition editions release version ver build
	ltsc ltsb lts esr iot n sac x64 x86 amd64 arm64 arm 64bit 32bit 64-bit 32-bit bit sp1 sp2 sp3 sp4
	1507 1511 1607 1703 1709 1803 1809 1903 1909 20h1 20h2 21h1 21h2 22h2 23h2 24h2 25h2 26h1 26h2`)

// versionForm matches a version: 128.0.2, v8, cu14, 131. A year is none.
var versionForm = regexp.MustCompile(`^(?:[0-9]+(?:\.[0-9x*]+)+|v[0-9][0-9.]*|cu[0-9]+|[0-9]{3}|[0-9]{5}(?:\.[0-9]+)?)$`)

func set(words string) map[string]bool {
	all := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		all[w] = true
	}
	return all
}

// Sentence returns the words, in lower case, that make a text a sentence.
func Sentence() map[string]bool { return maps.Clone(sentence) }

// Domain returns the words, in lower case, for the subject of this program.
func Domain() map[string]bool { return maps.Clone(domain) }

// isEdition reports whether a word is an edition or a version.
func isEdition(word string) bool {
	word = strings.ToLower(word)
	return editions[word] || versionForm.MatchString(word) && word != "365" // of Microsoft 365
}

// tight are words without the loose ones; nil where that leaves the same, or nothing with a letter.
func tight(words []string) []string {
	kept := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return sentence[strings.ToLower(w)] || domain[strings.ToLower(w)] || isEdition(w) })
	if len(kept) == len(words) || len(termsOf(kept)) == 0 {
		return nil
	}
	return kept
}

// leftOut are the editions and versions among words that are no part of what was found.
func (r Result) leftOut(words []string) []string {
	if len(r.Software) == 0 {
		return nil
	}
	has := wordsOf(r.Software[0].ID + " " + r.Software[0].Name)
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool {
		parts := wordsOf(w)
		return !isEdition(w) || len(parts) == 0 || !slices.ContainsFunc(parts, func(p string) bool { return !slices.Contains(has, p) })
	})
}
