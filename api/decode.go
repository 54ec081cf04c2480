package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The wire types are Defender's objects as they really arrive: counts as 240 or 240.0, null for most fields, builds as
// number or string. Types are otherwise strict: a row with a list where a name should be is skipped and counted.

type wireSoftware struct {
	ID                string      `json:"id"`
	Name              string      `json:"name"`
	Vendor            string      `json:"vendor"`
	Weaknesses        json.Number `json:"weaknesses"`
	PublicExploit     bool        `json:"publicExploit"`
	ActiveAlert       bool        `json:"activeAlert"`
	ExposedMachines   json.Number `json:"exposedMachines"`
	InstalledMachines json.Number `json:"installedMachines"`
	ImpactScore       json.Number `json:"impactScore"`
}

type wireMachine struct {
	ID               string   `json:"id"`
	ComputerDNSName  string   `json:"computerDnsName"`
	OSPlatform       string   `json:"osPlatform"`
	Version          string   `json:"version"`
	OSBuild          build    `json:"osBuild"`
	HealthStatus     string   `json:"healthStatus"`
	RiskScore        string   `json:"riskScore"`
	ExposureLevel    string   `json:"exposureLevel"`
	RBACGroupName    string   `json:"rbacGroupName"`
	OnboardingStatus string   `json:"onboardingStatus"`
	DeviceValue      string   `json:"deviceValue"`
	LastIPAddress    string   `json:"lastIpAddress"`
	AADDeviceID      string   `json:"aadDeviceId"`
	MachineTags      []string `json:"machineTags"`
	FirstSeen        string   `json:"firstSeen"`
	LastSeen         string   `json:"lastSeen"`
}

// build is an OS build: a number, a string or null.
type build string

// UnmarshalJSON keeps the digits of a number as they are written: 22621.10 is
// another build than 22621.1.
func (b *build) UnmarshalJSON(raw []byte) error {
	switch {
	case string(raw) == "null":
		*b = ""
		return nil
	case raw[0] == '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		*b = build(strings.TrimSpace(s))
		return nil
	case raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9':
		*b = build(raw)
		return nil
	}
	return errors.New("osBuild is neither a number nor a string")
}

// object returns a body without what may surround it, or says in plain words what
// it is when it is no JSON object.
func object(body []byte) ([]byte, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	switch {
	case len(body) == 0:
		return nil, errors.New("the answer is empty")
	case body[0] == '<':
		return nil, errors.New("the answer is HTML or XML, not JSON")
	case body[0] != '{':
		return nil, errors.New("the answer is not a JSON object")
	}
	return body, nil
}

// unmarshal decodes a whole body.
func unmarshal(body []byte, v any) error {
	body, err := object(body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("decode JSON: %w", err)
	}
	return nil
}

// wire is an object of Defender's that can be made a T of.
type wire[T any] interface{ value() (T, error) }

// decodeOne decodes a single entity.
func decodeOne[T any, W wire[T]](body []byte) (T, error) {
	var w W
	if err := unmarshal(body, &w); err != nil {
		var none T
		return none, err
	}
	return w.value()
}

// decodePage decodes a page of a collection. A row that cannot be read is left out and counted.
func decodePage[T any, W wire[T]](body []byte) (listPage[T], error) {
	body, err := object(body)
	if err != nil {
		return listPage[T]{}, err
	}
	page := listPage[T]{rows: []T{}}
	r := jsonReader{data: body}
	n := 0
	row := func() {
		n++
		raw := r.raw()
		if r.err != nil {
			r.err = fmt.Errorf("row %d: %w", n, r.err)
			return
		}
		v, err := decodeRow[T, W](raw)
		if err != nil {
			page.bad.add(n, err)
			return
		}
		page.rows = append(page.rows, v)
	}
	page.envelope, err = r.collection(func() { page.rows, page.bad, n = []T{}, badRows{}, 0 }, row)
	if err != nil {
		return listPage[T]{}, err
	}
	return page, nil
}

// decodeRow decodes one row, which is valid JSON.
func decodeRow[T any, W wire[T]](raw []byte) (T, error) {
	var w W
	if err := json.Unmarshal(raw, &w); err != nil {
		var none T
		return none, wrongType(err)
	}
	return w.value()
}

// wrongType says which field of a row has the wrong type. encoding/json's own text may quote the row.
func wrongType(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
		return fmt.Errorf("%s is not a %s", e.Field, e.Type)
	} else if ok {
		return errors.New("not an object")
	}
	return errors.New("a field is not what it should be")
}

func (w wireSoftware) value() (Software, error) {
	s := Software{
		ID: w.ID, Name: w.Name, Vendor: w.Vendor,
		PublicExploit: w.PublicExploit, ActiveAlert: w.ActiveAlert,
	}
	if s.ID == "" {
		return s, errors.New("no id")
	}
	for _, c := range []struct {
		name string
		from json.Number
		to   *int
	}{
		{"weaknesses", w.Weaknesses, &s.Weaknesses},
		{"exposedMachines", w.ExposedMachines, &s.ExposedMachines},
		{"installedMachines", w.InstalledMachines, &s.InstalledMachines},
	} {
		n, err := count(c.name, c.from)
		if err != nil {
			return s, err
		}
		*c.to = n
	}
	score, err := number("impactScore", w.ImpactScore)
	s.ImpactScore = min(max(score, 0), math.MaxFloat64) // JSON knows no infinity
	return s, err
}

func (w wireMachine) value() (Machine, error) {
	m := Machine{
		ID:               w.ID,
		ComputerDNSName:  strings.TrimSpace(w.ComputerDNSName),
		OSPlatform:       w.OSPlatform,
		Version:          w.Version,
		OSBuild:          string(w.OSBuild),
		HealthStatus:     w.HealthStatus,
		RiskScore:        w.RiskScore,
		ExposureLevel:    w.ExposureLevel,
		RBACGroupName:    w.RBACGroupName,
		OnboardingStatus: w.OnboardingStatus,
		DeviceValue:      w.DeviceValue,
		LastIPAddress:    w.LastIPAddress,
		AADDeviceID:      w.AADDeviceID,
		MachineTags:      nonEmpty(w.MachineTags),
	}
	if m.ID == "" {
		return m, errors.New("no id")
	}
	var err error
	if m.FirstSeen, err = parseTime("firstSeen", w.FirstSeen); err != nil {
		return m, err
	}
	m.LastSeen, err = parseTime("lastSeen", w.LastSeen)
	return m, err
}

// number reads a JSON number, null and absent being 0.
func number(name string, n json.Number) (float64, error) {
	if n == "" {
		return 0, nil
	}
	f, err := n.Float64()
	switch {
	case errors.Is(err, strconv.ErrRange):
		return f, nil // too large for a float64: an infinity, which the caller caps
	case err != nil:
		return 0, fmt.Errorf("%s is not a number", name)
	}
	return f, nil
}

// parseTime reads one of Defender's times, which have seven decimals; "" is none.
func parseTime(name, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s is not a time", name)
	}
	return t.UTC(), nil
}

// nonEmpty makes a null list an empty one and leaves out empty names.
func nonEmpty(names []string) []string {
	if names == nil {
		return []string{}
	}
	return slices.DeleteFunc(names, func(s string) bool { return s == "" })
}
