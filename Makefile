# Every target has a line of help behind ##; `make` prints them.
.DEFAULT_GOAL := help
VERSION  ?= $(shell .ci/version)
FUZZTIME ?= 30s
FUZZLONG ?= $(FUZZTIME)
SOAK     ?= 10m
SEED     ?=
DATABASE ?= SQLite
MACHINE  ?= idle
# What strangers can write goes in here: command lines, socket frames, interactions, Defender's bodies, files of digests.
FAMILIES := FuzzLine FuzzEnvelope FuzzInteraction FuzzBodies FuzzReadFile
# SQLite is C that was translated to Go. Its memory is not Go's, so the race detector looks at each access and sees nothing;
# without that, tests with SQLite need a third of the time. The driver around it is checked like all else.
RACE     := -race -gcflags=modernc.org/...lib...=-race=false
LINT     := go tool -modfile=.ci/tools.mod golangci-lint

.PHONY: help build run test check bench docs fuzz soak capture manifest

help: ## print this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 15

build: ## build bin/missingkbs
	CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -X main.version=$(VERSION)" -o bin/missingkbs ./cmd/missingkbs

run: ## ask the invented tenant, for example: make run Q='windows 11'
	go run ./cmd/missingkbs ask --sandbox $(or $(Q),microsoft-_-windows_11)

test: ## run all tests with the race detector
	go test $(RACE) -shuffle=on -timeout 25m ./...

check: ## format check, vet, linters, tidy modules
	go vet ./...
	go mod tidy -diff
	$(LINT) run ./...

bench: ## measure, and write docs/performance.md; about ten minutes, MACHINE (idle) refuses a busy one
	go test ./internal/e2e -count=1 -run='^TestFiguresAreMeasured$$' -timeout=0 -figures=$(MACHINE) -write-docs

bench-compare: ## compare the program with CMD, a bot that reads the same settings, under the same load
	go test ./internal/e2e -run='^$$' -bench='^BenchmarkCompare$$' -benchtime=1x -timeout=0 -compare='$(CMD)'

docs: ## update the generated parts of docs/: settings, commands, metrics, alerts
	go test -p=1 -count=1 ./cmd/missingkbs ./internal/metrics -run=^TestDocsHave -write-docs

fuzz: ## run every fuzz target for FUZZTIME (30s), those of FAMILIES for FUZZLONG (the same)
	@.ci/fuzz $(FUZZTIME) $(FUZZLONG) $(FAMILIES)

# Without a timeout of go test's: every wait in the test has an end of its own.
soak: ## ask for SOAK (10m) while everything fails at random, by SEED (any), on DATABASE (SQLite or PostgreSQL)
	go test $(RACE) -count=1 -timeout=0 -v -run='^TestSoak$$' ./internal/e2e -soak=$(SOAK) -seed=$(or $(SEED),0) -soak-database=$(DATABASE)

capture: ## write all messages and views of a session with the sandbox into the folder CAPTURE
	go test $(RACE) -count=1 -run='^TestCapture$$' ./internal/e2e -capture='$(CAPTURE)'

manifest: ## make deploy/kubernetes from the Helm chart
	go run -C .ci/kube . -write "$(CURDIR)/deploy"
