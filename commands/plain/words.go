package plain

import "strings"

// The words that sentences consist of. Some are also names of software, so they are only dropped if the text is a
// sentence: "update health tools" stays as it is.
var (
	// sentence has the words that make a text a sentence and say nothing about its subject.
	sentence = set(`a an the this that these those it its is are am was were be been being isn't aren't
		i i'm we we're you you're they my our your their me us them he she
		do does did don't doesn't have has had having can could would will should shall may might must
		what what's which which's who whose when where where's why how how's many much
		on in of for from at by with about against to into and or any some every there there's if so then now today currently still yet
		not no without yes know think want wants like need needs check see give gives tell show shows list find get got look looking lookup display
		please pls plz hey hi hello thanks thank
		run runs running use uses using affected affect affects apply applies bad good safe secure protected vulnerable up date outstanding
		installed install installs patch fix fixes say says mean means`)

	// domain has the words for this program's subject. Next to a name they add nothing.
	domain = set(`update updates patches kb kbs missing miss misses lack lacks lacking cve cves vulnerability vulnerabilities weakness weaknesses
		hotfix hotfixes fixes software product products program programs security status everything anything something`)

	// machines has the words for devices.
	machines = set(`device devices machine machines computer computers servers host hosts pc pcs laptop laptops endpoint endpoints clients`)

	greetings = set(`hi hello hey hej howdy hiya yo greetings morning afternoon evening good day there bot missingkbs everyone all`)

	thanks = set(`thanks thank thx ty cheers tack merci danke you very much a lot so many great cool nice perfect awesome excellent super ok okay got it
		good job work well done for the your help that this was is very bot missingkbs appreciated`)

	// polite has the words that may precede a request.
	polite = set(`please pls plz hey hi hello thanks thank you ok okay and so then now missingkbs can could would will i`)
)

// One of these words makes a text a greeting or thanks, if all others are in the sets above.
var (
	greets = set(`hi hello hey hej howdy hiya yo greetings morning afternoon evening`)
	thank  = set(`thanks thank thx ty cheers tack merci danke great cool nice perfect awesome excellent super ok okay done appreciated job`)
)

// The words that ask for more than a list of updates.
var (
	which    = set("which what many") // before a word for machines
	doing    = set("install patch update fix do deploy")
	first    = set("first") // beside a verb: what to do first
	attacked = set("exploited exploit attacked attack")
	absent   = set("missing miss misses lack lacks lacking without need needs update updates patch patches kb kbs hotfix hotfixes") // asks what devices lack, not what they have
	extra    = set("first exploited exploit attacked attack actively")                                                              // never part of a name
)

// helps are questions about the bot itself, without punctuation.
var helps = []string{
	"help", "help me", "help please", "i need help", "need help", "can you help", "can you help me", "could you help me",
	"what can you do", "what do you do", "what are you", "who are you", "what is this", "what's this", "how does this work", "how do you work",
	"how do i use this", "how do i use you", "how to use", "what can i ask", "what can i ask you", "commands", "usage", "man", "options", "examples", "instructions",
}

func set(words string) map[string]bool {
	all := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		all[w] = true
	}
	return all
}
