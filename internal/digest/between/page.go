package between

import (
	"fmt"
	"strings"

	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/product"
	"github.com/missingkbs/missingkbs/internal/view"
)

// maxItems is how many updates a message names; the digest's details list all.
const maxItems = 10

// Page returns the message of an alert.
func (a Alert) Page(s digest.Subscription) view.Page {
	exploited := 0
	for _, i := range a.Items {
		if len(i.Exploit.CVEs) > 0 {
			exploited++
		}
	}
	page := view.Page{
		Title: "Action required: " + s.Name(),
		Lead:  lead(exploited, len(a.Items)-exploited),
		Actions: []view.Action{
			{Label: "Details", Command: "digest details " + s.ID},
			{Label: "Settings", Command: "digest show " + s.ID},
		},
		Note: "Told once between two digests, and again if the devices grow by a quarter.",
	}
	if exploited == 0 {
		page.Title = "Worth a look: " + s.Name()
	}
	for _, kind := range []struct {
		name string
		rank int
	}{{"Exploited", 0}, {"Out of band", 1}} {
		l := view.List{Name: kind.name}
		for _, i := range a.Items {
			switch {
			case rank(i) != kind.rank:
			case len(l.Items) < maxItems:
				l.Items = append(l.Items, i.words())
			default:
				l.More++
			}
		}
		if len(l.Items) > 0 {
			page.Parts = append(page.Parts, l)
		}
	}
	if label := catalog.Label(a.Items[0].KB); len(a.Items) == 1 && strings.HasPrefix(label, "KB") {
		page.Actions = append([]view.Action{{Label: "Show the update", Command: "kb " + label}}, page.Actions...)
	}
	return page
}

// lead counts the updates by why they are reported.
func lead(exploited, others int) string {
	var words []string
	switch exploited {
	case 0:
	case 1:
		words = append(words, "1 update that is missing here fixes a vulnerability under attack.")
	default:
		words = append(words, fmt.Sprintf("%s updates that are missing here fix vulnerabilities under attack.", view.Thousands(exploited)))
	}
	switch others {
	case 0:
	case 1:
		words = append(words, "1 update appeared outside of the monthly cycle and is missing here.")
	default:
		words = append(words, fmt.Sprintf("%s updates appeared outside of the monthly cycle and are missing here.", view.Thousands(others)))
	}
	return strings.Join(words, " ")
}

// words returns the line about an update.
func (i Item) words() string {
	names := make([]string, len(i.Software))
	for n, id := range i.Software {
		names[n] = product.Name(id, "")
	}
	devices := view.Count(i.Devices, "device")
	if i.Shared {
		devices = "at least " + devices
	}
	line := fmt.Sprintf("%s (%s): %s", catalog.Label(i.KB), view.Join(names), devices)
	if len(i.Exploit.CVEs) > 0 {
		line += fmt.Sprintf("; %s says that %s %s exploited", i.Exploit.By, cveWords(i.Exploit.CVEs), isAre(len(i.Exploit.CVEs)))
	}
	if !i.Exploit.Due.IsZero() {
		line += ", due " + i.Exploit.Due.Format("2 Jan 2006")
	}
	if i.In != "" {
		line += "; contained in " + i.In
	}
	return line
}

// maxCVEs is how many CVEs a line names.
const maxCVEs = 3

func cveWords(ids []string) string {
	if rest := len(ids) - maxCVEs; rest > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(ids[:maxCVEs], ", "), rest)
	}
	return view.Join(ids)
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
