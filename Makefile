# What a change goes through before it is proposed; CONTRIBUTING.md tells the
# rest. The tools are run by version and stay out of go.mod, so that nobody who
# imports or audits this module gets theirs.

GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
OAPI_CODEGEN  := go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2
# Without cgo sqlc takes its parser as WebAssembly, which builds in a third of the time.
SQLC          := CGO_ENABLED=0 go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1
# Redocly wants a newer Node than some systems have, so it brings its own.
REDOCLY       := REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true npx --yes --package=node@22 --package=@redocly/cli@2.77.0 redocly

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X github.com/attestd/attestd/internal/server.version=$(VERSION)

# Every generated file says so in this form.
GENERATED := git grep --untracked -lE '^// Code generated .* DO NOT EDIT\.$$' -- '*.go'

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "%-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build the server and the simulator into bin/
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/server ./cmd/trusthubsim

# CI sets GO_TEST=.ci/test, by which a skipped test fails.
GO_TEST := go test

.PHONY: check
check: check-format vet lint-changed test-heart check-generated ## before each commit: a minute at most when caches are warm

.PHONY: test
test: ## run all tests, with the race detector
	$(GO_TEST) -race -timeout 30m ./...

# Without the simulation, which takes about a minute.
.PHONY: test-heart
test-heart:
	go test $$(go list ./internal/onboarding/... | grep -v '/simulation$$')

# Go tests that need more than Go and Postgres are behind the build tag e2e, and their names begin with TestE2E.
E2E_PACKAGES = $(shell git grep --untracked -lE '^//go:build e2e$$' -- '*_test.go' | sed -E 's|^(.*)/[^/]+$$|./\1|' | sort -u)

.PHONY: e2e
e2e: lint-api ## run what needs more than Go and Postgres: the contract's linter needs npx
	$(if $(strip $(E2E_PACKAGES)),$(GO_TEST) -tags e2e -run '^TestE2E' $(E2E_PACKAGES))

FOR ?= 1m
SEED ?= 0

.PHONY: chaos
chaos: ## kill, pause and restart everything at 200 onboardings a minute, FOR=1m, SEED=n for the same trouble again
	go test ./internal/server -run '^TestChaos$$' -count=1 -v -timeout=0 -chaos.for=$(FOR) -chaos.seed=$(SEED)

.PHONY: fmt
fmt: ## format the Go code
	$(GOLANGCI_LINT) fmt

.PHONY: check-format
check-format:
	@unformatted=$$(git ls-files --cached --others --exclude-standard -- '*.go' | while read -r file; do [ ! -f "$$file" ] || echo "$$file"; done | xargs gofmt -l) && \
	if [ -n "$$unformatted" ]; then \
		echo "make fmt would change:" >&2; echo "$$unformatted" >&2; exit 1; \
	fi

.PHONY: vet
vet:
	go vet ./...

.PHONY: lint
lint: vet ## check the Go code; make e2e has the contract's linter
	$(GOLANGCI_LINT) run

# The commit that a branch began at; what was changed since is linted by make check.
BASE ?= $(shell git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main 2>/dev/null || git rev-parse HEAD)

.PHONY: lint-changed
lint-changed:
	@packages=$$( (git diff --name-only $(BASE) -- '*.go'; git ls-files --others --exclude-standard -- '*.go') | sed -E 's|/[^/]+$$||' | sort -u | \
		while read -r dir; do [ -z "$$(ls "$$dir"/*.go 2>/dev/null)" ] || echo "./$$dir"; done) && \
	if [ -n "$$packages" ]; then $(GOLANGCI_LINT) run $$packages; fi

.PHONY: lint-api
lint-api:
	$(REDOCLY) lint api/openapi.yaml

.PHONY: generate
generate: ## generate the HTTP types from api/openapi.yaml and the queries from sqlc.yaml
	$(OAPI_CODEGEN) -config api/oapi-codegen.yaml api/openapi.yaml
	$(SQLC) generate

# Compares with what is in the tree, committed or not, so that it can be run
# before a commit as well as in CI.
.PHONY: check-generated
check-generated: ## fail if a generated file is not what generate makes
	@before=$$($(GENERATED) | xargs git hash-object) && \
	$(MAKE) --no-print-directory generate && \
	after=$$($(GENERATED) | xargs git hash-object) && \
	if [ "$$before" != "$$after" ]; then \
		echo "Generated code was not current. It is now: commit it." >&2; exit 1; \
	fi

.PHONY: dev
dev: ## run Postgres, simulator and server, and start the server anew when its sources change
	go run ./cmd/dev

.PHONY: demo
demo: ## show one onboarding from the POST to attestation A
	go run ./cmd/demo

.PHONY: bench
bench: ## measure the figures that the README states
	go run ./cmd/bench

FUZZTIME ?= 10s
.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME each (10s)
	@grep -rn --include=fuzz_test.go --include='fuzz_*_test.go' -oE '^func Fuzz[A-Za-z]+' internal | \
	sed -E 's|^(.*)/[^/]+:[0-9]+:func |\1 |' | while read -r package target; do \
		echo "$$target in ./$$package"; \
		go test "./$$package" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) || exit 1; \
	done
