# mailcheck: run, test, build, bench, fuzz, lint, docs, lab.
GO       ?= go
BIN      := bin/mailcheck
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS  := -s -w -X github.com/mailcheck-go/mailcheck/internal/cli.version=$(VERSION)
FUZZTIME ?= 10s

.PHONY: run build test test-libdns lint docs lab story release-check bench fuzz clean

## run: build and audit three sample domains on an embedded name server; no network, no root
run: build
	@./$(BIN) lab

## build: the static binary bin/mailcheck
build:
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/mailcheck

## test: every test that needs no root and no server. The race detector needs cgo,
## so a machine without a C compiler runs the same tests without it.
test:
	@if command -v $${CC:-cc} >/dev/null 2>&1; then \
		CGO_ENABLED=1 $(GO) test -race -shuffle=on ./...; \
	else \
		echo 'make test: no C compiler, so without the race detector'; \
		CGO_ENABLED=0 $(GO) test -shuffle=on ./...; \
	fi

## test-libdns: the tests of mailcheck-libdns, which is a module of its own
test-libdns:
	cd cmd/mailcheck-libdns && $(GO) vet ./... && $(GO) test -shuffle=on ./...

## lint: gofmt, go vet, staticcheck, and no drift of generated files
lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags lab,story ./internal/lab/... ./internal/story
	$(GO) tool staticcheck ./...
	$(GO) mod verify
	$(GO) run ./internal/docgen -check
	$(GO) run ./internal/schemagen -check

## docs: write docs/rules, docs/cli.md and docs/man from the code
docs:
	$(GO) run ./internal/docgen
	$(GO) run ./internal/schemagen

## lab: real name servers from Debian, installed when root
lab: build
	@sh internal/lab/run.sh

## story: from the first refused mail to p=reject on real servers; as root on Debian
story:
	@sh internal/story/run.sh

## release-check: goreleaser accepts the release and builds it; FULL=full: archives,
## packages and the image too
release-check:
	@sh internal/packaging/release-check.sh $(FULL)

## bench: the figures of docs/performance.md
bench:
	@sh internal/bench/run.sh

## fuzz: every fuzz target for FUZZTIME
fuzz:
	@set -e; for p in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
			echo "== $$p $$f"; $(GO) test $$p -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME); \
		done; \
	done

clean:
	rm -rf bin
