# `make run` and `make test` install what they need (see scripts/install) and work on a fresh Debian with Go, git, make and a C compiler.
SHELL := /bin/bash
BINARIES := api worker flusher neticket
LINT := go -C tools tool -n golangci-lint
TEMPL := go -C tools tool -n templ

.DEFAULT_GOAL := help

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

servers: # redis-server and mariadb-server
	@scripts/install

browser: # what tests use besides: chromium, letters for Korean, axe-core
	@scripts/install --tests

build: ## Build the four programs into bin/
	@mkdir -p bin
	go build -o bin/ $(addprefix ./cmd/,$(BINARIES))

run: servers build ## Run everything on this machine, with demo data; Ctrl-C ends it
	@exec bin/neticket dev

# A browser takes all the machine that there is, so its tests run apart from those that cut and kill.
test: browser ## Run all tests, with the race detector, on real servers of their own
	go test -race -count=1 -timeout 15m -skip '^TestBrowser' ./...
	go test -race -count=1 -timeout 15m -run '^TestBrowser' ./internal/e2e

SEED ?= 0
soak: servers ## What takes long: a million schedules, 100 pairs of resyncs, long outages; SEED=n draws the same again
	go test -count=1 -timeout 20m -v -run '^TestProtocol$$' ./internal/simulation -schedules 1000000 -seed $(SEED)
	go test -race -count=1 -timeout 20m -v -run '^TestTwoResyncs$$' ./internal/e2e -rounds 100 -seed $(SEED)
	go test -race -count=1 -timeout 20m -v -run '^(TestFrozenWorker|TestMySQLKilledDuringASale)$$' -parallel 6 ./internal/e2e -frozen 60s -outage 40s

FUZZTIME ?= 60s
fuzz: ## Run each fuzz target there is, one after the other, for FUZZTIME each
	@set -o pipefail; go test -list '^Fuzz' ./... | awk '/^Fuzz/ {name[n++] = $$1} /^ok/ {for (i = 0; i < n; i++) print $$2, name[i]; n = 0}' | \
	while read -r package target; do \
		echo "$$target of $$package"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package </dev/null || exit 1; \
	done

bench: bench-build ## Measure the whole system against two references, in under 5 minutes; BENCHFLAGS="-only booking" a part
	@exec bin/bench $(BENCHFLAGS)

# The build of before calls were joined, to compare with.
BASELINE ?= 4b7e6b8
bench-full: bench-build ## The same, longer, at size and beside the build BASELINE, in under 25 minutes; BENCHFLAGS=-store keeps the results
	@exec bin/bench -full -baseline $(BASELINE) $(BENCHFLAGS)

bench-build: servers build
	@scripts/install wrk
	go build -o bin/bench ./bench

generate: ## Compile the templates of the pages (*.templ) to Go; the result is committed
	"$$($(TEMPL))" fmt -log-level warn internal/web/page
	"$$($(TEMPL))" generate -log-level warn -path internal/web/page

check: ## Check format, lint, security, and that the compiled templates are current
	@test -z "$$(gofmt -l bench cmd internal migrations)" || { gofmt -l bench cmd internal migrations; echo "run gofmt on these"; exit 1; }
	"$$($(TEMPL))" generate -check -log-level warn -path internal/web/page || { echo "run make generate"; exit 1; }
	go mod verify >/dev/null && go mod tidy -diff
	go vet ./...
	"$$($(LINT))" run --allow-parallel-runners ./...

.PHONY: help servers browser build run test soak fuzz bench bench-full bench-build generate check
