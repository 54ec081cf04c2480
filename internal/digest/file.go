package digest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
	"github.com/missingkbs/missingkbs/internal/yamlfault"
)

// fileKey is the top-level key of the file. A file without it is rejected: it is more likely another file than one
// without digests.
const fileKey = "digests"

// entry is a subscription in a file.
type entry struct {
	ID         string    `yaml:"id"`
	Channel    string    `yaml:"channel"`
	Owner      string    `yaml:"owner,omitempty"`
	Watch      []string  `yaml:"watch"`
	MinDevices int       `yaml:"min_devices,omitempty"`
	MinCVEs    int       `yaml:"min_cves,omitempty"`
	Exploited  bool      `yaml:"exploited,omitempty"`
	At         string    `yaml:"at,omitempty"`
	Cron       string    `yaml:"cron,omitempty"`
	TZ         string    `yaml:"tz"`
	Quiet      Quiet     `yaml:"quiet,omitempty"`
	Report     bool      `yaml:"report,omitempty"`
	Alert      AlertKind `yaml:"alert,omitempty"`
}

// entryKeys are the YAML keys of an [entry].
var entryKeys = []string{"id", "channel", "owner", "watch", "min_devices", "min_cves", "exploited", "at", "cron", "tz", "quiet", "report", "alert"}

// ReadFile reads subscriptions that were written in YAML:
//
//	digests:
//	  - id: edge-weekly             # what people type: digest show edge-weekly
//	    channel: C0123456789        # the channel's id
//	    owner: U0123456789          # who is told when the channel takes no messages any more
//	    watch: [microsoft-_-edge]   # software ids, patterns such as microsoft-_-windows*, or all
//	    at: mon 09:00               # or cron: 0 9 * * 1
//	    tz: Europe/Stockholm
//	    min_devices: 5              # leave out what is missing on fewer devices; min_cves likewise
//	    exploited: true             # only what fixes vulnerabilities under attack
//	    quiet: heartbeat            # when nothing has changed: silent, heartbeat or always
//	    report: true                # say how patching goes, in place of what is missing
//	    alert: exploited            # what is told between two digests; nothing if it is left out
//
// All mistakes are reported at once, each with its line, as one [Mistake].
func ReadFile(text []byte) ([]Subscription, error) {
	items, err := readItems(text)
	if err != nil {
		return nil, err
	}
	var f fileReader
	lines := map[string]int{}
	var subscriptions []Subscription
	for _, item := range items {
		s := f.subscription(item)
		if before := lines[s.ID]; before > 0 {
			f.fault(item, "there is a digest %q in line %d already; ids must differ", s.ID, before)
		}
		if s.ID != "" {
			lines[s.ID] = line(item)
		}
		subscriptions = append(subscriptions, s)
	}
	if len(f.faults) > 0 {
		return nil, &Mistake{strings.Join(f.faults, "\n")}
	}
	return subscriptions, nil
}

// readItems returns the list of digests.
func readItems(text []byte) ([]ast.Node, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, mistake("%s", yamlfault.Text(err))
	}
	const shape = "the file must hold one list under the key digests:"
	if len(file.Docs) != 1 {
		return nil, mistake(shape)
	}
	values, ok := mapping(file.Docs[0].Body)
	if !ok || len(values) != 1 || keyOf(values[0]) != fileKey {
		return nil, mistake(shape)
	}
	list, ok := values[0].Value.(*ast.SequenceNode)
	if !ok {
		return nil, mistake(shape)
	}
	return list.Values, nil
}

// mapping returns the entries of a mapping node; ok is false for other nodes.
func mapping(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

func keyOf(v *ast.MappingValueNode) string { return strings.ToLower(scalar(v.Key)) }

// scalar returns the text of a node with a single value, or "".
func scalar(n ast.Node) string {
	if s, ok := n.(ast.ScalarNode); ok && n.Type() != ast.NullType {
		return strings.TrimSpace(fmt.Sprint(s.GetValue()))
	}
	return ""
}

func line(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

// fileReader reads entries and collects their faults.
type fileReader struct{ faults []string }

func (f *fileReader) fault(at ast.Node, format string, args ...any) {
	f.faults = append(f.faults, fmt.Sprintf("line %d: %s", line(at), fmt.Sprintf(format, args...)))
}

// subscription reads an entry, and as much of an invalid one as possible, so that all faults are found at once.
func (f *fileReader) subscription(item ast.Node) Subscription {
	values, ok := mapping(item)
	if !ok {
		f.fault(item, "a digest is written as keys and values, such as id: edge-weekly")
		return Subscription{}
	}
	var e entry
	for _, v := range values {
		f.value(&e, v)
	}
	return f.check(item, e)
}

// value reads the value of one key into an entry.
func (f *fileReader) value(e *entry, v *ast.MappingValueNode) {
	switch key := keyOf(v); key {
	case "watch":
		e.Watch = f.words(v.Value)
	case "min_devices":
		e.MinDevices = f.number(v)
	case "min_cves":
		e.MinCVEs = f.number(v)
	case "report":
		e.Report = f.truth(v)
	case "exploited":
		e.Exploited = f.truth(v)
	default:
		texts := map[string]*string{
			"id": &e.ID, "channel": &e.Channel, "owner": &e.Owner, "at": &e.At, "cron": &e.Cron, "tz": &e.TZ, "quiet": (*string)(&e.Quiet), "alert": (*string)(&e.Alert),
		}
		text, known := texts[key]
		if !known {
			f.fault(v.Key, "there is no key %q; there are %s", key, view.Join(entryKeys))
			return
		}
		if *text = scalar(v.Value); *text == "" {
			f.fault(v.Key, "%s has no value", key)
		}
	}
}

// words returns the values of a list or of a single value.
func (f *fileReader) words(n ast.Node) []string {
	nodes := []ast.Node{n}
	if list, ok := n.(*ast.SequenceNode); ok {
		nodes = list.Values
	}
	var words []string
	for _, n := range nodes {
		words = append(words, scalar(n))
	}
	return words
}

func (f *fileReader) number(v *ast.MappingValueNode) int {
	if n := scalar(v.Value); n != "" && len(n) < 10 && strings.Trim(n, "0123456789") == "" {
		number, _ := strconv.Atoi(n) // only digits, and few
		return number
	}
	f.fault(v.Key, "%s must be a whole number such as 10", keyOf(v))
	return 0
}

func (f *fileReader) truth(v *ast.MappingValueNode) bool {
	switch strings.ToLower(scalar(v.Value)) {
	case "true":
		return true
	case "false":
		return false
	}
	f.fault(v.Key, "%s must be true or false", keyOf(v))
	return false
}

var (
	validID      = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,29}$`)
	validAddress = regexp.MustCompile(`^[A-Z][A-Z0-9]{2,30}$`)
)

// check builds the subscription of an entry.
func (f *fileReader) check(item ast.Node, e entry) Subscription {
	if !validID.MatchString(e.ID) {
		f.fault(item, "id must be small letters, digits and dashes, at most 30, such as edge-weekly; it is %q", e.ID)
	}
	for _, a := range []struct{ key, value, example string }{{"channel", e.Channel, "C0123456789"}, {"owner", e.Owner, "U0123456789"}} {
		if !validAddress.MatchString(a.value) {
			f.fault(item, "%s must be an id such as %s, not a name; it is %q", a.key, a.example, a.value)
		}
	}
	s := Subscription{
		ID: e.ID, Tenant: DefaultTenant, Channel: e.Channel, Owner: e.Owner, Origin: FromFile, Report: e.Report,
		Filter: patchgap.Filter{MinDevices: e.MinDevices, MinCVEs: e.MinCVEs, Exploited: e.Exploited},
	}
	var errs [4]error
	s.Watch, errs[0] = ReadWatch(e.Watch)
	s.Quiet, errs[1] = ReadQuiet(string(e.Quiet))
	if s.Report && s.Filter != (patchgap.Filter{}) {
		f.fault(item, "%s", ReportUnfiltered)
	}
	s.Alert, errs[3] = ReadAlert(string(e.Alert))
	words := e.At + e.Cron
	if (e.At == "") == (e.Cron == "") {
		f.fault(item, "say when with either at or cron, such as at: mon 09:00")
		words = ""
	}
	if words != "" {
		s.Schedule, errs[2] = schedule.Parse(words, e.TZ)
	}
	for _, err := range errs {
		if err != nil {
			f.fault(item, "%s", err)
		}
	}
	return s
}

// WriteFile writes subscriptions in the format of [ReadFile], regardless of their origin.
func WriteFile(subscriptions []Subscription) ([]byte, error) {
	file := struct {
		Digests []entry `yaml:"digests"`
	}{Digests: []entry{}}
	for _, s := range subscriptions {
		e := entry{
			ID: s.ID, Channel: s.Channel, Owner: s.Owner, Watch: s.Watch, MinDevices: s.Filter.MinDevices, MinCVEs: s.Filter.MinCVEs, Exploited: s.Filter.Exploited,
			At: s.Schedule.Words, TZ: s.Schedule.Zone, Quiet: s.Quiet, Report: s.Report, Alert: s.Alert,
		}
		if schedule.IsCron(s.Schedule) {
			e.At, e.Cron = "", s.Schedule.Words
		}
		file.Digests = append(file.Digests, e)
	}
	slices.SortFunc(file.Digests, func(a, b entry) int { return strings.Compare(a.ID, b.ID) })
	text, err := yaml.Marshal(file)
	if err != nil {
		return nil, fmt.Errorf("write subscriptions: %w", err)
	}
	return text, nil
}
