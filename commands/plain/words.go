package plain

import (
	"strings"

	"github.com/missingkbs/missingkbs/commands/search"
)

// The words that sentences consist of. Some are also names of software, so they are only dropped if the text is a
// sentence: "update health tools" stays as it is.
var (
	// sentence and domain have the words that are left out in a search, too.
	sentence, domain = search.Sentence(), search.Domain()

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
