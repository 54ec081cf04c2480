package advisorytest

import (
	"encoding/json"
	"hash/fnv"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

type object = map[string]any

func text(s string) object { return object{"Value": s} }

// send writes JSON. An error means that the caller is gone.
func send(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v)
}

func (s *Server) serveIndex(w http.ResponseWriter) {
	byMonth, months := s.documents()
	list := []object{}
	for i, id := range months {
		if i < 2 && s.has(MonthsLeaveIndex) {
			continue
		}
		list = append(list, object{
			"ID": id, "Alias": id, "DocumentTitle": ordinal(id), "Severity": nil,
			"InitialReleaseDate": stamp(byMonth[id][0].Released) + "Z", "CurrentReleaseDate": stamp(s.revised(byMonth[id])) + "Z",
			"CvrfUrl": s.MSRC() + "/cvrf/" + id,
		})
	}
	send(w, object{"@odata.context": s.MSRC() + "/$metadata#Updates", "value": list})
}

func (s *Server) serveDocument(w http.ResponseWriter, id string) {
	byMonth, months := s.documents()
	list, ok := byMonth[id]
	if !ok {
		http.Error(w, "no such document", http.StatusNotFound)
		return
	}
	revised := s.revised(list)
	switch {
	case s.has(WrongMonth):
		at := (slices.Index(months, id) + 1) % len(months)
		id, list = months[at], byMonth[months[at]]
	case s.has(EarlyRelease):
		list = list[:1]
	}
	if s.has(OlderRevision) {
		revised = revised.AddDate(0, 0, -60)
	}
	if s.has(FutureDate) {
		revised = revised.AddDate(50, 0, 0)
	}
	send(w, s.document(id, list, revised))
}

func (s *Server) document(id string, list []Update, revised time.Time) object {
	remediations, products := map[string][]object{}, []object{}
	for _, u := range list {
		products = append(products, object{"ProductID": u.Product, "Value": "Invented product " + u.Product})
		for i, cve := range u.CVEs {
			all := s.remediations(u)
			if i > 0 { // once is enough for rows that are not updates
				all = all[:1]
			}
			remediations[cve] = append(remediations[cve], all...)
		}
	}
	vulnerabilities := []object{}
	for _, cve := range slices.Sorted(maps.Keys(remediations)) {
		vulnerabilities = append(vulnerabilities, object{
			"Title": text("Invented vulnerability " + cve), "CVE": cve, "DiscoveryDateSpecified": false,
			"Notes": []object{{"Title": "Description", "Type": 2, "Value": "<p>It is invented.</p>"}},
			"Threats": []object{
				{"Type": 0, "Description": text("Remote Code Execution"), "ProductID": []string{"1"}},
				{"Type": 1, "Description": text(exploitStatus(cve))},
				{"Type": 3, "Description": text(severity(cve)), "ProductID": []string{"1"}},
			},
			"CVSSScoreSets": []object{{"BaseScore": 4 + float64(number(cve)%60)/10, "ProductID": []string{"1"}}},
			"Remediations":  remediations[cve],
		})
	}
	return object{
		"DocumentTitle": text(ordinal(id)),
		"DocumentTracking": object{
			"Identification":     object{"ID": text(id), "Alias": text(id)},
			"InitialReleaseDate": stamp(list[0].Released), "CurrentReleaseDate": stamp(revised),
		},
		"ProductTree":   object{"FullProductName": products},
		"Vulnerability": vulnerabilities,
	}
}

// remediations returns what a document says about an update under each of its CVEs, with rows beside it that are not
// updates.
func (s *Server) remediations(u Update) []object {
	kind := u.SubType
	if kind == "" {
		kind = "Security Update"
	}
	fix := object{
		"Type": 2, "SubType": kind, "Description": text(u.KB), "Supercedence": u.Supersedes, "FixedBuild": u.Build,
		"RestartRequired": text("Yes"), "ProductID": []string{u.Product}, "URL": "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB" + u.KB,
	}
	if u.Supersedes == "" || s.has(NoSupersedence) {
		fix["Supercedence"] = nil
	}
	if s.has(OddValues) {
		return oddRows(u, fix)
	}
	return []object{
		fix,
		{"Type": 2, "Description": text("Release Notes"), "ProductID": []string{u.Product}, "URL": "https://example.invalid/notes"},
		{"Type": 3, "SubType": u.KB, "ProductID": []string{u.Product}},
		{"Type": 6, "Description": text(u.KB), "ProductID": []string{u.Product}},
	}
}

// oddRows returns rows that MSRC was seen to write for an update: remediations without a KB, bulletins and the update
// itself among those it supersedes, and invalid builds.
func oddRows(u Update, fix object) []object {
	rows := []object{fix}
	fix["Description"], fix["Supercedence"] = text("KB"+u.KB), strings.TrimSuffix("MS16-110, "+u.KB+"; None; "+u.Supersedes, "; ")
	if u.Build != "" {
		fix["FixedBuild"] = "0.0.26200.4652; v" + u.Build + ".\u200b"
	}
	for _, name := range []string{
		"Release Notes", "Click to Run", "CBL-Mariner Releases", "Commit", "kernel", "mysql", "Update Information", "More Information", "Information", "App Store", "",
	} {
		rows = append(rows, object{"Type": 2, "Description": text(name), "Supercedence": "None", "FixedBuild": "Application Build 1.2.3, Platform Build 4.5.", "ProductID": []string{u.Product}})
	}
	for _, build := range []string{"4.8.4494.03", "V1.2", "KB123", "Build 5", "1.001", ""} {
		rows = append(rows, object{"Type": 2, "SubType": fix["SubType"], "Description": text(u.KB), "FixedBuild": build, "RestartRequired": text("Yes"), "ProductID": []string{u.Product}})
	}
	return append(rows, object{"Type": nil, "Description": text("5999999")}, object{"Type": 6, "Description": text("5999999")})
}

func number(cve string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(cve)) // it never fails
	return h.Sum32()
}

// exploitStatus is separated by semicolons and colons, as the real one is.
func exploitStatus(cve string) string {
	exploited := "No"
	if number(cve)%331 == 0 {
		exploited = "Yes"
	}
	return "Publicly Disclosed:No;Exploited:" + exploited + ";Latest Software Release:Exploitation Less Likely;DOS:N/A"
}

func severity(cve string) string {
	if number(cve)%8 == 0 {
		return "Critical"
	}
	return "Important"
}

func (s *Server) serveList(w http.ResponseWriter) {
	now := s.options.Now()
	entries := []object{}
	for _, e := range s.entries() {
		due, triage := e.Added.AddDate(0, 0, 14), "No"
		if e.Triage {
			due, triage = e.Added.AddDate(0, 0, 3), "Yes"
		}
		entries = append(entries, object{
			"cveID": e.CVE, "vendorProject": "Microsoft", "product": "Windows", "vulnerabilityName": "Invented vulnerability " + e.CVE,
			"dateAdded": day(e.Added), "dueDate": day(due), "shortDescription": "It is invented.", "requiredAction": "Install the update.",
			"knownRansomwareCampaignUse": map[bool]string{true: "Known", false: "Unknown"}[number(e.CVE)%3 == 0], "forensicTriage": triage, "notes": "", "cwes": []string{},
		})
	}
	count, released := len(entries), now.UTC().Truncate(24*time.Hour)
	if s.has(OlderRevision) {
		released = released.AddDate(0, 0, -60)
	}
	switch {
	case s.has(WrongCount):
		count += 7
	case s.has(ShrunkList):
		entries = entries[:len(entries)/2]
		count = len(entries)
	case s.has(EmptyList):
		entries, count = []object{}, 0
	}
	if s.has(FutureDate) {
		released = released.AddDate(50, 0, 0)
	}
	send(w, object{
		"title": "Invented catalog of known exploited vulnerabilities", "catalogVersion": strings.ReplaceAll(day(released), "-", "."),
		"dateReleased": released.Format("2006-01-02T15:04:05.0000Z"), "count": count, "vulnerabilities": entries,
	})
}
