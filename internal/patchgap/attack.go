package patchgap

import (
	"fmt"
	"slices"

	"github.com/missingkbs/missingkbs/internal/view"
)

// Attack tells whether an update fixes an exploited vulnerability.
type Attack int

// The zero value means that nothing is known, which is never shown as "no".
const (
	AttackUnknown Attack = iota
	NotAttacked
	Attacked
)

// AttackWords returns a sentence, without its full stop, on how many updates fix exploited vulnerabilities, and for how
// many that is unknown; "" for no updates. With devices it adds how many are affected: one device may miss several
// updates, so devices do not add up, and the largest number is a lower bound.
func AttackWords(updates []Update, of func(Update) Attack, devices bool) string {
	var attacked []Update
	unknown, all := 0, len(updates)
	for _, u := range updates {
		switch of(u) {
		case Attacked:
			attacked = append(attacked, u)
		case AttackUnknown:
			unknown++
		}
	}
	switch {
	case all == 0:
		return ""
	case unknown == all && all == 1:
		return "Whether it fixes a vulnerability under attack is unknown: MSRC does not list it"
	case unknown == all:
		return "Whether they fix vulnerabilities under attack is unknown: MSRC lists none of them"
	case len(attacked) == 0:
		return noneAttacked(all) + unknownWords(unknown)
	}
	words := attackedWords(len(attacked), all)
	if devices {
		words += ", on " + devicesOf(attacked)
	}
	return words + unknownWords(unknown)
}

func noneAttacked(all int) string {
	if all == 1 {
		return "It fixes no vulnerability that is known to be under attack"
	}
	return fmt.Sprintf("None of %s missing updates is known to fix a vulnerability under attack", view.Thousands(all))
}

// attackedWords counts the exploited updates among all missing ones.
func attackedWords(attacked, all int) string {
	verb := "fix"
	if attacked == 1 {
		verb = "fixes"
	}
	if all == 1 {
		return "It fixes vulnerabilities under attack"
	}
	return fmt.Sprintf("%s of %s missing updates %s vulnerabilities under attack", view.Thousands(attacked), view.Thousands(all), verb)
}

// devicesOf says how many devices miss any of the updates.
func devicesOf(updates []Update) string {
	most := slices.MinFunc(updates, Update.Compare)
	if len(updates) > 1 && !most.Shared() {
		return "at least " + most.DeviceWords()
	}
	return most.DeviceWords()
}

func unknownWords(unknown int) string {
	if unknown == 0 {
		return ""
	}
	return fmt.Sprintf("; of %s it is unknown", view.Thousands(unknown))
}
