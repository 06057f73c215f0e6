# Every command of the project. `make` alone lists them.
#
# A machine needs python3 (3.11 to 3.13, with venv), make and git; everything else comes with `make setup`, which the
# other targets run by themselves when it is due.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
DMD_ENV ?= local
export DMD_ENV

# The exact uv that the lock file was written with; pyproject.toml says which.
UV_PIN = $(shell sed -n 's/^ *"\(uv==[^"]*\)".*/\1/p' pyproject.toml)
# uv neither looks for another Python nor downloads one: the machine's own was checked.
export UV_PYTHON_DOWNLOADS := never
EXPORT = { echo "\# What production installs, from uv.lock. Written by \`make requirements\`; do not edit."; \
	$(BIN)/uv export --quiet --locked --no-dev --no-emit-project --no-header --format requirements-txt; }

##@ The pipeline on this machine

.PHONY: demo
demo: $(READY) ## Start everything, send traffic, let the DAGs run, account for every record; leaves it running
	@$(BIN)/python -m local demo

.PHONY: up
up: $(READY) ## Start the local AWS, the delivery worker and Airflow, and leave them running
	@$(BIN)/python -m local up

.PHONY: down
down: ## Stop exactly what `make up` or `make demo` started
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m local down; else echo "Nothing to stop: never set up."; fi

# Whatever code a recipe ends with, make ends with 2: its last line tells the code (docs/local-pipeline.md).
.PHONY: run
run: $(READY) ## Trigger a DAG in the running Airflow and wait: make run DAG=register_partitions CONF='{"dry_run": true}'
	@$(BIN)/python -m local run "$${DAG-}" "$${CONF-}"

##@ Checks (none of them changes a file)

.PHONY: test
test: lint types requirements-check browser ## Lint, types, and every test (unit, integration, real scheduler, real browser)
	@$(BIN)/pytest --numprocesses 2 --no-loadscope-reorder $(PYTEST)

.PHONY: crash
crash: $(READY) ## The crash matrix: each job is killed before and after each of its AWS calls, and run again
	@$(BIN)/pytest --numprocesses 2 --no-loadscope-reorder tests/integration/jobs -k killed $(PYTEST)

.PHONY: guards
guards: $(READY) ## Each guard of retention is taken out in turn, and a test has to fail without it
	@$(BIN)/pytest tests/integration/jobs/test_retention_guards.py $(PYTEST)

.PHONY: lint
lint: $(READY) ## Ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: $(READY) ## Mypy, strict
	@$(BIN)/mypy

.PHONY: conformance
conformance: $(READY) ## The cases that define the local AWS, run against an environment: make conformance DMD_ENV=dev1
	@$(BIN)/pytest tests/conformance $(PYTEST)

.PHONY: conformance-trino
conformance-trino: $(READY) ## Hold the local Athena against a real Trino (needs a JDK 17 and Maven; fetches Trino once)
	@$(BIN)/python -m local.trino
	@$(BIN)/pytest tests/trino $(PYTEST)

.PHONY: bench
bench: $(READY) ## Measure beside the alternatives; writes bench/results.json
	@$(BIN)/python -m bench

.PHONY: requirements-check
requirements-check: $(READY)
	@$(EXPORT) | diff -u requirements.txt - >&2 || \
		{ echo "requirements.txt is stale: run \`make requirements\` and commit it." >&2; exit 1; }

# Debian's chromium, or Playwright's own; the browser tests never pass by being skipped.
.PHONY: browser
browser: $(READY)
	@$(BIN)/python -m local.browser

##@ Generated files

.PHONY: docs
docs: $(READY) ## Write docs/dags.md from the DAGs themselves
	@$(BIN)/python -m local.dags_doc

.PHONY: requirements
requirements: $(READY) ## Write requirements.txt (production only, with hashes) from uv.lock
	@$(EXPORT) > requirements.txt

##@ The rest

.PHONY: setup
setup: $(READY) ## Make .venv and install exactly what uv.lock says; does nothing when up to date

$(READY): pyproject.toml uv.lock
	@command -v $(PYTHON) >/dev/null || \
		{ echo "No $(PYTHON) found: install Python 3.11 to 3.13, or name one with PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "$$($(PYTHON) --version) will not do: Python 3.11 to 3.13 is needed. Name one with PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "$(PYTHON) lacks its venv module: on Debian and Ubuntu, apt-get install python3-venv." >&2; exit 1; }
	@echo "Setting up .venv (some minutes the first time) ..."
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@[ "$$($(BIN)/uv --version 2>/dev/null | cut -d' ' -f1,2 | sed 's/ /==/')" = "$(UV_PIN)" ] || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(UV_PIN)"
	@$(BIN)/uv sync --quiet --locked
	@touch $@

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*##"; print "Usage: make TARGET"} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*##/ {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
