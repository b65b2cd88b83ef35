# Signet. `make quickstart` and `make test` install the Debian packages that they lack; everything else assumes them.
SWIFT ?= swift
BUILD_DIR := $(shell pwd)/.build
PREFIX ?= /usr/local
SHELL := /bin/bash
.DEFAULT_GOAL := help

.PHONY: help packages build release simulator-release quickstart quickstart-clean test sweep format lint bench clean manual install

help:
	@echo "make quickstart   build, then run the whole path on SoftHSM: CA, enrolment, archival, recovery"
	@echo "make test         build everything and run the tests"
	@echo "make sweep        kill the CA, or let its disk fail, at every call of a scenario: half an hour"
	@echo "make build        debug build of the programs and the token simulator"
	@echo "make release      optimised build"
	@echo "make simulator-release   optimised build of the token simulator only, loaded once"
	@echo "make manual       manual pages and shell completion, in $(BUILD_DIR)/manual"
	@echo "make install      programs, manual pages and completion below PREFIX ($(PREFIX)); DESTDIR for packagers;"
	@echo "                  certutil and certreq in PREFIX/libexec/signet, for the PATH of whoever wants those names"
	@echo "make format       format the sources in place"
	@echo "make lint         check the format, and build"
	@echo "make bench        tokens and issuance as ratios to the raw token"
	@echo "make clean        remove what was built (never an instance or a token)"

packages:
	@.ci/packages

build: packages
	$(SWIFT) build

release: packages
	$(SWIFT) build -c release
	.ci/load-simulator $(BUILD_DIR)/release/libsignet-token-simulator.so

# What an optimised build shows of the simulator is seen only by loading it.
simulator-release: packages
	$(SWIFT) build -c release --product signet-token-simulator
	.ci/load-simulator $(BUILD_DIR)/release/libsignet-token-simulator.so

quickstart: packages
	$(SWIFT) build --product signet
	$(SWIFT) build --product signetd
	$(SWIFT) build --product signet-token-simulator
	@docs/quickstart/quickstart.sh $(BUILD_DIR)/debug quickstart

quickstart-clean:
	@docs/quickstart/quickstart.sh --remove quickstart

# The tests run an independent /certsrv client from PyPI; where PyPI cannot be reached that one test is skipped.
CERTSRV_CLIENT := $(BUILD_DIR)/certsrv-client

$(CERTSRV_CLIENT)/bin/python:
	@mkdir -p $(BUILD_DIR)
	@{ python3 -m venv $(CERTSRV_CLIENT) && $(CERTSRV_CLIENT)/bin/pip install --quiet certsrv; } >/dev/null 2>&1 \
		|| { rm -rf $(CERTSRV_CLIENT); echo "note: PyPI gave no certsrv client; its test is skipped"; }

# The same for the libraries with which an archival request is built from the protocol's description alone.
ARCHIVAL_CLIENT := $(BUILD_DIR)/archival-client

$(ARCHIVAL_CLIENT)/bin/python:
	@mkdir -p $(BUILD_DIR)
	@{ python3 -m venv $(ARCHIVAL_CLIENT) && $(ARCHIVAL_CLIENT)/bin/pip install --quiet cryptography asn1crypto; } \
		>/dev/null 2>&1 || { rm -rf $(ARCHIVAL_CLIENT); echo "note: PyPI gave no archival client; its test is skipped"; }

test: packages simulator-release $(CERTSRV_CLIENT)/bin/python $(ARCHIVAL_CLIENT)/bin/python
	$(SWIFT) build --build-tests
	set -o pipefail; $(SWIFT) test --skip-build --experimental-maximum-parallelization-width 8 2>&1 | awk -f .ci/failures.awk

# Every call at which the authority can be killed or its disk fail; `make test` takes some of them. SWEEP=FAULT:STRIDE takes
# one fault at every so many calls; the faults are those of Tests/SweptAuthority/FaultOrders.swift.
SWEEP ?= full
sweep: packages
	$(SWIFT) build --build-tests
	SIGNET_SWEEP=$(SWEEP) $(SWIFT) test --skip-build --filter "CrashSweepTests|BackupKillTests|LostAuthorityTests|MigrationSweepTests"

# Made by the program of its own help, so that neither can lag behind it.
MANUAL := $(BUILD_DIR)/manual

manual: release
	rm -rf $(MANUAL)
	mkdir -p $(MANUAL)/bash $(MANUAL)/zsh $(MANUAL)/fish
	env -u SIGNET_INSTANCE $(BUILD_DIR)/release/signet --experimental-dump-help \
		| docs/manual/manual.py $(MANUAL)/man1 "$$($(BUILD_DIR)/release/signet --version)"
	$(BUILD_DIR)/release/signet --generate-completion-script bash > $(MANUAL)/bash/signet
	$(BUILD_DIR)/release/signet --generate-completion-script zsh > $(MANUAL)/zsh/_signet
	$(BUILD_DIR)/release/signet --generate-completion-script fish > $(MANUAL)/fish/signet.fish

install: manual
	install -D -t $(DESTDIR)$(PREFIX)/bin $(BUILD_DIR)/release/signet $(BUILD_DIR)/release/signetd
	install -d $(DESTDIR)$(PREFIX)/libexec/signet
	ln -sf ../../bin/signet $(DESTDIR)$(PREFIX)/libexec/signet/certutil
	ln -sf ../../bin/signet $(DESTDIR)$(PREFIX)/libexec/signet/certreq
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/signet/hsm-profiles hsm-profiles/*.yaml
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 $(MANUAL)/man1/*.1
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(MANUAL)/bash/signet
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/zsh/site-functions $(MANUAL)/zsh/_signet
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d $(MANUAL)/fish/signet.fish

format:
	$(SWIFT) format format --configuration .swift-format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

lint: packages
	$(SWIFT) format lint --configuration .swift-format --strict --recursive --parallel Package.swift Sources Tests Benchmarks
	$(SWIFT) build

bench: packages
	$(SWIFT) build -c release --package-path Benchmarks
	for product in signet signetd signet-token-simulator; do \
		$(SWIFT) build -c release --package-path Benchmarks --product $$product || exit 1; done
	.ci/load-simulator Benchmarks/.build/release/libsignet-token-simulator.so
	Benchmarks/.build/release/token-benchmarks
	Benchmarks/.build/release/signet-benchmarks

clean:
	$(SWIFT) package clean
	rm -rf Benchmarks/.build
