package apitest

import "net/http"

func machineFields() fields[Machine] {
	return fields[Machine]{
		"id":              func(m Machine) any { return m.ID },
		"computerDnsName": func(m Machine) any { return m.ComputerDNSName },
		"osPlatform":      func(m Machine) any { return m.OSPlatform },
		"version":         func(m Machine) any { return m.Version },
		"healthStatus":    func(m Machine) any { return m.HealthStatus },
		"rbacGroupName":   func(m Machine) any { return nullable(m.RBACGroupName) },
		"rbacGroupId":     func(m Machine) any { return float64(m.RBACGroupID) },
		"riskScore":       func(m Machine) any { return nullable(m.RiskScore) },
		"exposureLevel":   func(m Machine) any { return nullable(m.ExposureLevel) },
		"lastIpAddress":   func(m Machine) any { return nullable(m.LastIPAddress) },
		"aadDeviceId":     func(m Machine) any { return nullable(m.AADDeviceID) },
		"lastSeen":        func(m Machine) any { return m.LastSeen },
	}
}

// nullable is how a filter sees a text that is sent as null if it is empty.
func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// listMachines answers with 404 if the tenant has no machine at all, and does
// not continue a list that $top has cut: both as live.
func (t *Tenant) listMachines(q *request) reply {
	opts, bad := parseQuery(q.URL.RawQuery, machineFields())
	if bad != nil {
		return *bad
	}
	if len(q.data.machines) == 0 {
		return failure(http.StatusNotFound, "ResourceNotFound", "No recent machines were found")
	}
	encoded, rows := q.data.machineRows(), encodedRows{}
	for i, m := range q.data.machines {
		if opts.keeps(m) {
			rows = append(rows, encoded[i])
		}
	}
	r := paged(t, q, opts.window, ofMachines, rows)
	if p := r.body.(page); opts.window.topGiven {
		p.NextLink = ""
		r.body = p
	}
	return r
}

func oneMachine(q *request, machine int) reply {
	return q.one(ofMachines, q.data.machines[machine])
}

// machineKBs lists what the machine lacks; each row counts that one machine.
func machineKBs(q *request, machine int) reply {
	kbs := []kbRow{}
	for _, place := range q.data.machineGaps[machine] {
		if g := q.data.gaps[place]; g.isKB() {
			g.MachineMissedOn = 1
			kbs = append(kbs, g.row())
		}
	}
	return q.list(ofFixes, kbs)
}

func machineSoftware(q *request, machine int) reply {
	rows := []softwareRow{}
	for _, i := range q.data.software {
		if i.has(int32(machine)) {
			rows = append(rows, rowOf(i.Software))
		}
	}
	return q.list(ofSoftware, rows)
}

func machineVulnerabilities(q *request, machine int) reply {
	return q.list(ofFound, q.data.describeAll(q.data.cves(q.data.machineGaps[machine])))
}
