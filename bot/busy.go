package bot

import (
	"fmt"
	"math"
	"time"

	"github.com/missingkbs/missingkbs/internal/view"
)

// The reasons why questions are refused as busy, for metrics.
const (
	busyFull   = "full"   // the queue is full
	busyPerson = "person" // this person's part of the queue is full
	busyWaited = "waited" // it waited too long
	busySlow   = "slow"   // too many others wait for Defender
)

func queueFullPage(wait time.Duration) view.Page {
	return view.Page{Title: "Busy", Lead: "Too many questions are being answered right now, so yours was not answered. " + tryAgainIn(wait)}
}

func personFullPage(n int, wait time.Duration) view.Page {
	return view.Page{
		Title: "Busy with your questions",
		Lead:  fmt.Sprintf("You have %d questions waiting. No more are accepted until one is answered, so this one was not answered. %s", n, tryAgainIn(wait)),
	}
}

func waitedPage() view.Page {
	return view.Page{Title: "Busy", Lead: "Your question waited for a minute, so it was not answered. Ask again if you still want to know."}
}

func restartingPage() view.Page {
	return view.Page{Title: "The bot is restarting", Lead: "Your question was not answered. Ask again in a moment."}
}

// slowDefenderPage answers a question that was interrupted because too many wait for Defender.
func slowDefenderPage(wait time.Duration) view.Page {
	return view.Page{Title: "Busy", Lead: "Defender is slow and too many questions wait for it, so yours was cancelled. " + tryAgainIn(wait) + " Defender's answers are kept meanwhile."}
}

// tryAgainIn says when to try again.
func tryAgainIn(d time.Duration) string {
	const least, most = 2, 60
	n := int(math.Ceil(d.Seconds()))
	return fmt.Sprintf("Try again in about %d seconds.", min(max(n, least), most))
}

// seconds formats a duration in whole seconds, rounded up.
func seconds(d time.Duration) string { return fmt.Sprintf("%d s", max(1, int(math.Ceil(d.Seconds())))) }
