# Every target has a line of help behind ##; `make` prints them.
.DEFAULT_GOAL := help
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null)
FUZZTIME ?= 30s
LINT     := go tool -modfile=.ci/tools.mod golangci-lint

.PHONY: help build run test check bench fuzz

help: ## print this help
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

build: ## build bin/missingkbs
	CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -X main.version=$(VERSION)" -o bin/missingkbs ./cmd/missingkbs

run: ## ask the invented tenant, for example: make run Q='windows 11'
	go run ./cmd/missingkbs ask --sandbox $(or $(Q),microsoft-_-edge)

test: ## run all tests with the race detector
	go test -race -shuffle=on ./...

check: ## format check, vet, linters, tidy modules
	go vet ./...
	go mod tidy -diff
	$(LINT) run ./...

bench: ## run all benchmarks
	go test -run='^$$' -bench=. -benchmem ./...

fuzz: ## run every fuzz target for FUZZTIME (30s)
	@set -e; for p in $$(go list ./...); do for f in $$(go test -list='^Fuzz' $$p | grep '^Fuzz' || true); do \
		echo "== $$p $$f"; go test -run='^$$' -fuzz="^$$f$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=10x $$p; done; done
