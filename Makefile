# Mira. `make help` lists the targets; each sets up what it needs, in .venv/ and .cache/ of this checkout.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONPATH := $(CURDIR)/operator:$(CURDIR)/training-image:$(CURDIR)
# uv asks the machine's certificates, as pip does.
export UV_SYSTEM_CERTS := 1
# What anything leaves behind when it is killed lies in this checkout.
export TMPDIR := $(shell mkdir -p .cache/tmp && echo $(CURDIR)/.cache/tmp)
READY := .venv/.ready

##@ For everybody

.PHONY: help
help:  ## Lists the targets
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*##/ {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: binaries  ## The whole job on real data, told step by step (KEEP=1 leaves it running)
	@STARTED_BY=$$PPID exec python -m dev.demo $(if $(KEEP),--keep)

.PHONY: cluster
cluster: binaries  ## A local cluster with S3 and Mira installed; prints the `export KUBECONFIG=...`
	@STARTED_BY=$$PPID exec python -m dev.cluster

##@ For those who change Mira

.PHONY: check
check: $(READY)  ## Style, types, layers, generated files, links
	@dev/check.sh

.PHONY: test
test: binaries  ## Every test but the long campaigns
	@dev/test.sh

.PHONY: test-long
test-long: binaries  ## The long campaigns as well: hours; writes docs/reliability
	@MIRA_LONG=1 dev/test.sh
	@python -m tests.model --complete
	@python -m tests.simulation --seeds 0:100000 --report docs/reliability/simulation.md

.PHONY: bench
bench: binaries  ## A training by Mira beside a plain script that does the same; says which budgets are missed
	@python -m benchmarks

.PHONY: generate
generate: $(READY)  ## Writes the CRDs, the reference and the chart's copies from the code
	@dev/generate.sh

.PHONY: format
format: $(READY)  ## Formats the code
	@ruff format -q . && ruff check -q --fix .

.PHONY: lock
lock: $(READY)  ## Writes requirements/*.txt from pyproject.toml
	@UV=$(BIN)/uv dev/lock.sh

##@ Pieces

.PHONY: setup
setup: $(READY)  ## The Python environment in .venv/

$(READY): requirements/uv.txt requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "Mira needs Python 3.11 or later with venv; set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "setting up .venv (about a minute, 1.2 GB)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync -q --require-hashes requirements/dev.txt
	@touch $@

.PHONY: binaries
binaries: $(READY)
	@STARTED_BY=$$PPID exec python -m dev.controlplane

.PHONY: clean
clean:  ## Removes .venv/, .cache/ and what tools left
	@rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
