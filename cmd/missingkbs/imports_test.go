package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/alert"
	"github.com/missingkbs/missingkbs/internal/failure"
	"github.com/missingkbs/missingkbs/internal/view"
)

const module = "github.com/missingkbs/missingkbs"

// forbidden lists what a package and all it imports must not reach: imports point inward, from the edges to the core.
// A package without a row is one that this test does not know, which is an error too.
var forbidden = map[string][]string{
	"api":                            {module, slackPackages},
	"api/apitest":                    {module, slackPackages, azurePackages},
	"internal/quota":                 {module, slackPackages, azurePackages, anyLibrary},
	"internal/quota/quotatest":       {module, slackPackages, azurePackages, anyLibrary},
	"internal/httpclient":            {module, slackPackages, azurePackages, anyLibrary},
	"internal/wait":                  {module, slackPackages, azurePackages, anyLibrary},
	"internal/redact":                {module, slackPackages, azurePackages, anyLibrary},
	"internal/e2e":                   {module, slackPackages, azurePackages, anyLibrary}, // but for its tests
	"internal/e2e/yardstick":         {module, azurePackages},                            // measured as a program of another kind
	"internal/repotest":              {module, slackPackages, azurePackages, anyLibrary},
	"internal/failure":               {module, slackPackages, azurePackages, anyLibrary},
	"internal/view":                  {module, slackPackages, azurePackages, anyLibrary},
	"commands/search":                {module + "/bot", module + "/internal/store", module + "/internal/sandbox", module + "/api/apitest", slackPackages},
	"commands/digestcmd":             {module + "/bot", module + "/internal/sandbox", module + "/internal/store", module + "/api/apitest", slackPackages},
	"commands/pages":                 {module + "/api", module + "/bot", module + "/commands", module + "/internal/sandbox", module + "/internal/store", slackPackages},
	"commands/plancmd":               {module + "/bot", module + "/internal/sandbox", module + "/internal/store", module + "/api/apitest", slackPackages},
	"commands/plain":                 {module + "/bot", module + "/internal/sandbox", module + "/internal/store", module + "/api/apitest", slackPackages},
	"commands/reportcmd":             {module + "/bot", module + "/internal/sandbox", module + "/internal/store", module + "/api/apitest", slackPackages},
	"commands/reading":               {module + "/bot", module + "/internal/sandbox", module + "/internal/store", module + "/api/apitest", slackPackages},
	"commands/riskcmd":               {module + "/bot", module + "/internal/sandbox", module + "/internal/store", module + "/api/apitest", slackPackages},
	"commands/cmdline":               {module, slackPackages, azurePackages},
	"commands":                       {module + "/bot", module + "/internal/sandbox", module + "/api/apitest", slackPackages},
	"bot/blocks":                     {module + "/api", module + "/bot", module + "/commands", module + "/internal/sandbox", module + "/internal/digest"},
	"bot/slackapi":                   {module, azurePackages},
	"bot/access":                     {module + "/bot", module + "/api/apitest", module + "/internal/sandbox", module + "/internal/store"},
	"bot/post":                       {module + "/bot", module + "/api/apitest", module + "/internal/sandbox", module + "/internal/store"},
	"bot/socketmode":                 {module, azurePackages},
	"bot/slacktest":                  {module},
	"bot/spoken":                     {module, slackPackages, azurePackages, anyLibrary},
	"bot/admission":                  {module, slackPackages, azurePackages, anyLibrary},
	"bot":                            {module + "/api/apitest", module + "/internal/sandbox"},
	"internal/access":                {module, slackPackages, azurePackages, anyLibrary},
	"internal/app":                   {module + "/cmd", module + "/internal/sandbox", module + "/api/apitest"},
	"internal/app/monitor":           {module + "/api/apitest", module + "/internal/sandbox"},
	"internal/audit":                 {module, slackPackages, azurePackages},
	"internal/catalog":               {module, slackPackages, azurePackages, anyLibrary},
	"internal/completion":            {module + "/bot", module + "/internal/app", module + "/internal/store", module + "/internal/sandbox", module + "/api/apitest", slackPackages},
	"internal/config":                {module + "/cmd", module + "/internal/app", module + "/internal/doctor", module + "/internal/sandbox", module + "/api/apitest"},
	"internal/logging":               {module + "/bot", module + "/internal/config", module + "/internal/store", module + "/internal/sandbox", module + "/api/apitest", slackPackages},
	"internal/demo":                  {module + "/cmd"},
	"internal/digest":                {module, slackPackages, azurePackages},
	"internal/digest/schedule":       {module, slackPackages, azurePackages},
	"internal/patchgap":              {module, slackPackages, azurePackages},
	"internal/product":               {module, slackPackages, azurePackages, anyLibrary},
	"internal/plan":                  {module, slackPackages},
	"internal/deadline":              {module, slackPackages, azurePackages, anyLibrary},
	"internal/kpi":                   {module, slackPackages},
	"internal/aging":                 {module, slackPackages},
	"internal/inventory":             {module + "/bot", module + "/commands", module + "/internal/sandbox", module + "/api/apitest", slackPackages},
	"internal/asked":                 {module + "/api", module + "/bot", module + "/commands", module + "/internal/store", module + "/internal/sandbox", slackPackages},
	"internal/digest/between":        {module, slackPackages, azurePackages},
	"internal/digest/source":         {module + "/bot", module + "/internal/store", module + "/internal/sandbox", module + "/api/apitest", slackPackages},
	"internal/doctor":                {module + "/cmd", module + "/internal/app", module + "/internal/sandbox", module + "/api/apitest"},
	"internal/month":                 {module, slackPackages, azurePackages, anyLibrary},
	"internal/manifest":              {module, slackPackages, azurePackages},
	"internal/metrics":               {module, slackPackages, azurePackages},
	"internal/bundle":                {module + "/cmd", module + "/internal/app", module + "/internal/sandbox", module + "/api/apitest"},
	"internal/setup":                 {module + "/cmd", module + "/internal/app", module + "/internal/sandbox", module + "/api/apitest"},
	"internal/risk":                  {module, slackPackages, azurePackages},
	"internal/advisory":              {module, slackPackages},
	"internal/advisory/advisorytest": {module, slackPackages, azurePackages, anyLibrary},
	"internal/filepages":             {module, slackPackages, azurePackages, anyLibrary},
	"internal/feeds":                 {module, slackPackages},
	"internal/triage":                {module, slackPackages},
	"internal/alert":                 {module, slackPackages, azurePackages, anyLibrary},
	"internal/health":                {module, slackPackages, azurePackages},
	"internal/span":                  {module, slackPackages, azurePackages, anyLibrary},
	"internal/tracing":               {module, slackPackages},
	"internal/store":                 {module, slackPackages, azurePackages},
	"internal/store/db":              {module, slackPackages, azurePackages, anyLibrary},
	"internal/store/pgtest":          {module, slackPackages, azurePackages},
	"internal/store/prepared":        {module, slackPackages, azurePackages, anyLibrary},
	"internal/store/sqlitefile":      {module, slackPackages, azurePackages},
	"internal/store/tablecopy":       {module, slackPackages, azurePackages},
	"internal/store/storetest":       {slackPackages, azurePackages},
	"internal/sandbox":               {module, slackPackages, azurePackages},
	"internal/sandbox/inputs":        {module, slackPackages, azurePackages, anyLibrary},
	"internal/sandbox/ui":            {module, slackPackages, azurePackages, anyLibrary},
	"internal/sandbox/blockkit":      {module, slackPackages, azurePackages, anyLibrary},
	"internal/sandbox/trace":         {module, slackPackages, azurePackages, anyLibrary},
	"internal/sandbox/faults":        {module, slackPackages, azurePackages},
	"internal/sandbox/grants":        {module, slackPackages, azurePackages, anyLibrary},
	"internal/sandbox/sockets":       {module, slackPackages, azurePackages},
	"internal/sandbox/protocol":      {module, slackPackages, azurePackages, anyLibrary},
	"internal/ticket":                {module, slackPackages, azurePackages, anyLibrary},
	"internal/tty":                   {module, slackPackages, azurePackages},
	"internal/webhook":               {module, slackPackages, azurePackages},
	"internal/xlsx":                  {module, slackPackages, azurePackages},
	"internal/yamlfault":             {module, slackPackages, azurePackages},
	"cmd/missingkbs":                 {},

	// Only tests import these.
	"commands/cmdline/cmdlinetest":   {module, slackPackages, azurePackages, anyLibrary},
	"internal/patchgap/patchgaptest": {module, slackPackages, azurePackages},
}

const (
	slackPackages = "github.com/slack-go/slack"
	azurePackages = "github.com/Azure/azure-sdk-for-go"
	anyLibrary    = "." // an import path with a dot in its first element is not the standard library's
)

// allowed are the exceptions: what a package may import of ours in spite of its row.
var allowed = map[string][]string{
	"bot/post":                 {module + "/bot/slackapi", module + "/bot/access", module + "/bot/blocks"},
	"bot/blocks":               {module + "/bot/slackapi"},
	"bot/access":               {module + "/bot/slackapi"},
	"bot/slacktest":            {module + "/internal/sandbox", module + "/internal/sandbox/blockkit", module + "/api/apitest"},
	"bot/socketmode":           {module + "/bot/slackapi"},
	"internal/view":            {module + "/internal/failure"},
	"internal/ticket":          {module + "/internal/view", module + "/internal/failure", module + "/internal/catalog"},
	"internal/tracing":         {module + "/internal/span"},
	"internal/tty":             {module + "/internal/view", module + "/internal/failure"},
	"internal/xlsx":            {module + "/internal/view", module + "/internal/failure"},
	"internal/audit":           {module + "/internal/redact"},
	"internal/digest":          {module + "/internal/yamlfault", module + "/internal/deadline", module + "/internal/risk", module + "/internal/patchgap", module + "/internal/digest/schedule", module + "/internal/audit", module + "/internal/redact", module + "/internal/view", module + "/internal/failure", module + "/internal/catalog"},
	"internal/alert":           {module + "/internal/view", module + "/internal/failure"},
	"internal/sandbox/sockets": {module + "/api/apitest", module + "/internal/sandbox/blockkit", module + "/internal/sandbox/ui", module + "/internal/sandbox/protocol", module + "/internal/sandbox/faults", module + "/internal/sandbox/trace", module + "/internal/sandbox/grants"},
	"internal/sandbox/grants":  {module + "/internal/sandbox/protocol"},
	"internal/sandbox/inputs":  {module + "/internal/sandbox/protocol"},
	"internal/sandbox/trace":   {module + "/internal/sandbox/ui", module + "/internal/sandbox/protocol"},
	"internal/sandbox/faults":  {module + "/api/apitest", module + "/internal/sandbox/blockkit", module + "/internal/sandbox/protocol"},
	"internal/sandbox":         {module + "/api/apitest", module + "/internal/sandbox/blockkit", module + "/internal/sandbox/ui", module + "/internal/sandbox/protocol", module + "/internal/sandbox/faults", module + "/internal/sandbox/trace", module + "/internal/sandbox/grants", module + "/internal/sandbox/inputs", module + "/internal/sandbox/sockets"},
	"internal/store":           {module + "/internal/yamlfault", module + "/internal/access", module + "/internal/audit", module + "/internal/digest", module + "/internal/view", module + "/internal/failure", module + "/internal/catalog", module + "/internal/store/db", module + "/internal/store/prepared", module + "/internal/store/sqlitefile", module + "/internal/store/tablecopy", module + "/internal/redact", module + "/internal/quota", module + "/internal/risk", module + "/internal/digest/between"}, // digest and risk: types only

	// The arithmetic of the rate limit, which package store keeps in a database for several processes.
	"api":                      {module + "/internal/quota"},
	"internal/quota/quotatest": {module + "/internal/quota"},

	"internal/patchgap/patchgaptest": {module + "/internal/patchgap"},

	// What digests are made of.
	"internal/triage":          {module + "/internal/advisory", module + "/internal/patchgap", module + "/internal/view"},
	"internal/feeds":           {module + "/internal/yamlfault", module + "/internal/advisory", module + "/internal/store"},
	"internal/risk":            {module + "/internal/patchgap", module + "/internal/audit", module + "/internal/redact", module + "/internal/view", module + "/internal/failure", module + "/internal/catalog"},
	"internal/patchgap":        {module + "/internal/view", module + "/internal/failure", module + "/internal/catalog"},
	"internal/digest/schedule": {module + "/internal/view", module + "/internal/failure"},
	"internal/digest/between":  {module + "/internal/yamlfault", module + "/internal/digest", module + "/internal/risk", module + "/internal/patchgap", module + "/internal/month", module + "/internal/product", module + "/internal/audit", module + "/internal/redact", module + "/internal/digest/schedule", module + "/internal/view", module + "/internal/failure", module + "/internal/catalog"},
	"internal/plan":            {module + "/internal/patchgap", module + "/internal/advisory"},
	"internal/kpi":             {module + "/internal/aging", module + "/internal/month", module + "/internal/triage"},
	"internal/aging":           {module + "/internal/patchgap", module + "/internal/advisory", module + "/internal/deadline", module + "/internal/month"},
}

// leaves may be imported by every package: they stand on the standard library alone and know nothing of ours.
var leaves = []string{module + "/internal/httpclient", module + "/internal/month", module + "/internal/wait", module + "/internal/product"}

type pkg struct {
	ImportPath string
	Doc        string
	Standard   bool
	Deps       []string
}

// packages asks the go command about all packages of the module.
func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Doc,Deps", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImportsPointInward(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		rules, known := forbidden[name]
		if !known {
			t.Errorf("%s has no row in the table of forbidden imports", name)
		}
		for _, dep := range p.Deps {
			for _, rule := range rules {
				if breaks(rule, dep) && !isAllowed(name, dep) {
					t.Errorf("%s imports %s, which is forbidden to it", name, dep)
				}
			}
		}
	}
}

func breaks(rule, dep string) bool {
	if rule == anyLibrary {
		first, _, _ := strings.Cut(dep, "/")
		return strings.Contains(first, ".")
	}
	return dep == rule || strings.HasPrefix(dep, rule+"/")
}

// isAllowed reports whether a package may import another of ours, by its own row or by that of a package it may import.
func isAllowed(name, dep string) bool {
	return slices.Contains(leaves, dep) || slices.Contains(allowed[name], dep) || slices.ContainsFunc(allowed[name], func(other string) bool {
		return isAllowed(strings.TrimPrefix(other, module+"/"), dep)
	})
}

func TestEveryPackageHasADocComment(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		if p.Doc == "" {
			t.Errorf("%s has no doc comment", p.ImportPath)
		}
	}
}

// The words for failures stand in one place: metrics, the audit, alerts and stored answers take them from there.
func TestFailureWordsStandOnce(t *testing.T) {
	t.Parallel()
	words := regexp.MustCompile(`"(permission|licence|throttled|unavailable|not_defender|bad_response|bad_request)"`)
	var places []string
	for _, folder := range []string{"../../bot", "../../commands", "../../cmd", "../../internal"} {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/sandbox/") || strings.Contains(path, "/storetest/") {
				return err
			}
			text, err := os.ReadFile(path)
			if words.Match(text) {
				places = append(places, strings.TrimPrefix(filepath.ToSlash(path), "../../"))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"internal/failure/failure.go"}; !slices.Equal(places, want) {
		t.Errorf("words for failures are written out in %v, want %v", places, want)
	}
}

// Each word that is counted or told is a kind.
func TestFailureWordsAreKinds(t *testing.T) {
	t.Parallel()
	words := append(append(commands.Reasons(), alert.Failures()...), string(view.UsedUp), string(view.Unreachable), string(view.TooSlow))
	for _, err := range []error{
		api.ErrNotFound, api.ErrPermission, api.ErrCredential, api.ErrLicence, api.ErrThrottled, api.ErrBusy, api.ErrUnavailable, api.ErrBadResponse, api.ErrNotDefender, api.ErrBadRequest,
		context.Canceled, context.DeadlineExceeded, errors.New("another"), &commands.Error{Usage: true}, &commands.Error{},
	} {
		words = append(words, commands.Reason(err))
	}
	for _, w := range words {
		if !slices.Contains(failure.Kinds(), failure.Kind(w)) {
			t.Errorf("%q is no kind of failure", w)
		}
	}
}
