# Every target creates the environment it needs; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help venv demo test prove lint types contracts check tests hosts generate bench lock clean

VENV ?= .venv
BENCH_VENV ?= .venv-bench
# More than the cores of a small machine: the tests wait for runs, polls and processes about as often as they compute.
JOBS ?= 3
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	"$$p" -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
# Compiled once, for all the processes that the checks start, whatever the environment says.
export PYTHONDONTWRITEBYTECODE :=
BIN := $(VENV)/bin
READY := $(VENV)/.ready

say = @printf '==> %s\n' '$(1)'

# uv installs several times faster than pip, which remains for indexes that only pip is configured for.
define make_venv
	@"$(PYTHON)" -c '$(NEW_ENOUGH)' >/dev/null 2>&1 || { \
		echo "error: '$(PYTHON)' is not Python 3.11 or newer. Install one, or set its path: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@"$(PYTHON)" -m venv "$(1)"
	@pip() { "$(1)/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes -r "$$1"; }; \
	sed -n '/^uv==/,/# via/p' requirements.lock | pip /dev/stdin; \
	"$(1)/bin/uv" pip install -q --python "$(1)/bin/python" --require-hashes -r "$(2)" || pip "$(2)"
endef

help:  ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

venv: $(READY)  ## Create the environment in .venv from requirements.lock

$(READY): requirements.lock pyproject.toml
	$(call say,environment: $(VENV) from requirements.lock)
	$(call make_venv,$(VENV),requirements.lock)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)  ## Apply the examples with the real Terraform against the sandbox of the three systems
	@$(BIN)/workflow-provider demo

test: lint types contracts check tests  ## Run all checks: lint, types, import contracts, generated code, tests
	$(call say,all checks passed)

lint: $(READY)
	$(call say,lint: ruff)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .

types: $(READY)
	$(call say,types: mypy --strict)
	@$(BIN)/mypy --no-error-summary

contracts: $(READY)
	$(call say,import contracts: import-linter)
	@out=$$($(BIN)/lint-imports --no-cache 2>&1) || { echo "$$out" >&2; exit 1; }

check: $(READY)  ## Fail if generated code or docs are outdated
	$(call say,generated code and docs)
	@$(BIN)/python -m codegen check

tests: $(READY)
	$(call say,tests: pytest with $(JOBS) workers)
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal

prove: $(READY)  ## Prove the guarantees: every crash point, the model, many processes at once (40 minutes)
	$(call say,proofs: pytest with $(JOBS) workers)
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal -m prove

hosts: $(READY)  ## Run the acceptance tests on Terraform 1.6 to 1.15 and OpenTofu, and print a table
	@$(BIN)/python -m tests.acceptance.hosts --jobs $(JOBS)

generate: $(READY)  ## Regenerate clients, constructs and docs from specs
	$(call say,generate)
	@$(BIN)/python -m codegen generate

bench: $(READY) $(BENCH_VENV)/.ready  ## Compare the speed with a provider written in another Python framework
	$(call say,benchmarks)
	@$(BIN)/python -m tests.benchmarks.run --reference-python "$(BENCH_VENV)/bin/python"

$(BENCH_VENV)/.ready: tests/benchmarks/requirements.lock
	$(call say,environment: $(BENCH_VENV) from $<)
	$(call make_venv,$(BENCH_VENV),$<)
	@touch $@

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock: $(READY)  ## Update the pinned dependencies
	$(call say,requirements.lock)
	@$(LOCK) --all-extras --group dev pyproject.toml -o requirements.lock
	@$(LOCK) tests/benchmarks/requirements.in -o tests/benchmarks/requirements.lock

clean:  ## Remove environments and caches
	@rm -rf "$(VENV)" "$(BENCH_VENV)" .hosts .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
