package apitest

import (
	"net/http"
	"strings"
)

// route is one row of the API: a path, whose "*" is an id, and what it takes.
// See https://learn.microsoft.com/defender-endpoint/api/exposed-apis-list.
type route struct {
	path  string
	roles []string // any one of them
	serve func(t *Tenant, q *request) reply
}

func routes() []route {
	software := []string{"Software.Read.All"}
	vulnerability := []string{"Vulnerability.Read.All"}
	machine := []string{"Machine.Read.All", "Machine.ReadWrite.All"}
	return []route{
		{"software", software, (*Tenant).listSoftware},
		{"software/*", software, withSoftware(oneSoftware)},
		{"software/*/getmissingkbs", software, withSoftware(softwareKBs)},
		{"software/*/distributions", software, withSoftware(softwareDistributions)},
		{"software/*/machinereferences", software, withSoftware(softwareMachines)},
		{"software/*/vulnerabilities", vulnerability, withSoftware(softwareVulnerabilities)},
		{"machines", machine, (*Tenant).listMachines},
		{"machines/*", machine, withMachine(oneMachine)},
		{"machines/*/getmissingkbs", software, withMachine(machineKBs)},
		{"machines/*/software", software, withMachine(machineSoftware)},
		{"machines/*/vulnerabilities", vulnerability, withMachine(machineVulnerabilities)},
		{"vulnerabilities", vulnerability, (*Tenant).listVulnerabilities},
		{"vulnerabilities/machinesvulnerabilities", vulnerability, (*Tenant).listAssetVulnerabilities},
		{"vulnerabilities/*", vulnerability, (*Tenant).oneVulnerability},
		{"vulnerabilities/*/machinereferences", vulnerability, (*Tenant).vulnerabilityMachines},
	}
}

// matches compares the words of a path in any case of letters.
func (r route) matches(path []string) bool {
	words := strings.Split(r.path, "/")
	if len(words) != len(path) {
		return false
	}
	for i, w := range words {
		if w == "*" && path[i] == "" || w != "*" && !strings.EqualFold(w, path[i]) {
			return false
		}
	}
	return true
}

// route finds who answers the request, and whether the caller may ask.
func (t *Tenant) route(q *request) reply {
	for _, r := range routes() {
		if !r.matches(q.path) {
			continue
		}
		if q.Method != http.MethodGet {
			return failure(http.StatusMethodNotAllowed, "BadRequest", "The requested resource does not support http method '"+q.Method+"'.")
		}
		if bad := q.by.lacksRole(r.roles...); bad != nil {
			return *bad
		}
		return r.serve(t, q)
	}
	return failure(http.StatusNotFound, "NotFound", "No resource was found at "+q.norm)
}

// withSoftware looks up the software that the path names. Its id is taken
// letter by letter.
func withSoftware(serve func(q *request, i inventory) reply) func(*Tenant, *request) reply {
	return func(_ *Tenant, q *request) reply {
		place, known := q.data.softwareByID[q.path[1]]
		if !known {
			return unknown("Software", q.path[1])
		}
		return serve(q, q.data.software[place])
	}
}

// withMachine looks up the machine that the path names by id or name.
func withMachine(serve func(q *request, machine int) reply) func(*Tenant, *request) reply {
	return func(_ *Tenant, q *request) reply {
		place, known := q.data.machine(q.path[1])
		if !known {
			return unknown("Machine", q.path[1])
		}
		return serve(q, place)
	}
}

func unknown(kind, id string) reply {
	return failure(http.StatusNotFound, "ResourceNotFound", kind+" "+id+" was not found")
}

// list is a whole list, without paging.
func (q *request) list(of string, value any) reply {
	return ok(page{Context: q.context(of), Value: value})
}

// one is a single object.
func (q *request) one(of string, value any) reply {
	return ok(entity{q.context(of + "/$entity"), value})
}

func (q *request) context(of string) string {
	return q.base() + "/api/$metadata#" + of
}

// What the lists are lists of, as @odata.context says.
const (
	ofSoftware        = "Software"
	ofDistributions   = "Distributions"
	ofReferences      = "MachineReferences"
	ofMachines        = "Machines"
	ofVulnerabilities = "Vulnerabilities"
	ofFixes           = "Collection(microsoft.windowsDefenderATP.api.PublicProductFixDto)"
	ofFound           = "Collection(Analytics.Contracts.PublicAPI.PublicVulnerabilityDto)"
	ofAssets          = "Collection(microsoft.windowsDefenderATP.api.PublicAssetVulnerabilityDto)"
)
