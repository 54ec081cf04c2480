package bot

import (
	"fmt"
	"math"
	"time"

	"github.com/missingkbs/missingkbs/internal/view"
)

// The reasons why questions are refused as busy, for metrics.
const (
	busyFull   = "full"   // as many questions wait as may
	busyPerson = "person" // as many of this person wait as may
	busyWaited = "waited" // it waited for too long
	busySlow   = "slow"   // too many others wait for Defender
)

// inSeconds is when to try again, in words.
func inSeconds(d time.Duration) string {
	const least, most = 2, 60
	n := int(math.Ceil(d.Seconds()))
	return fmt.Sprintf("Try again in about %d seconds.", min(max(n, least), most))
}

// seconds is a span in whole seconds, rounded up.
func seconds(d time.Duration) string { return fmt.Sprintf("%d s", max(1, int(math.Ceil(d.Seconds())))) }

func overfull(wait time.Duration) view.Page {
	return view.Page{Title: "Busy", Lead: "Too many questions are being answered right now, and yours was not looked at. " + inSeconds(wait)}
}

func manyOfYours(n int, wait time.Duration) view.Page {
	return view.Page{
		Title: "Busy with your questions",
		Lead:  fmt.Sprintf("You have %d questions waiting, and no more are taken until one is answered. This one was not looked at. %s", n, inSeconds(wait)),
	}
}

func waited() view.Page {
	return view.Page{Title: "Busy", Lead: "Your question waited for a minute without its turn coming, so it was not looked at. Ask it again if you still want to know."}
}

func restarting() view.Page {
	return view.Page{Title: "The bot is restarting", Lead: "Your question was not looked at. Ask again in a moment."}
}

// slowDefender is what people are told whose question was given up because too many wait for Defender.
func slowDefender(wait time.Duration) view.Page {
	return view.Page{Title: "Busy", Lead: "Defender is slow, and too many questions wait for it, so yours was given up. " + inSeconds(wait) + " What Defender answers meanwhile is kept."}
}
