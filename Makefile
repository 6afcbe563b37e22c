# From a fresh clone: `make demo` shows an agent at work, `make test` checks everything.
# Python 3.11 to 3.13 is all that has to be there; the rest is installed into .venv from requirements/, pinned and hashed.

# The distribution's own build of the Python on PATH, where it can make environments: it is compiled with
# profile-guided optimization, which pyenv leaves out by default, and everything takes a sixth longer.
version_of = $(shell $(1) -c 'import ensurepip, sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
PYTHON ?= $(if $(filter $(call version_of,python3),$(call version_of,/usr/bin/python3)),/usr/bin/python3,python3)
BIN := .venv/bin
MAIN := .local/.main-installed
DEV := .local/.dev-installed
PYTEST := $(BIN)/python -m pytest -n auto

# Where it is set, each of the many processes of a test run compiles all that it imports again.
unexport PYTHONDONTWRITEBYTECODE
# uv trusts what this machine trusts, as pip does: a company's own certificate authority, too.
export UV_SYSTEM_CERTS ?= true

.PHONY: help demo demo-code gallery check test test-deep bench lint drift schemas audit lock upgrade clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(BIN)/uv: requirements/uv.txt
	@scripts/announce.sh "Preparing Python in .venv" $(PYTHON) -m venv .venv
	@scripts/announce.sh "Installing uv" $(BIN)/python -m pip install --disable-pip-version-check --require-hashes \
	  -r requirements/uv.txt
	@touch $(BIN)/uv

$(MAIN): $(BIN)/uv requirements/main.txt pyproject.toml
	@mkdir -p .local && chmod go-rw .local
	@scripts/announce.sh "Installing what the pack needs" $(BIN)/uv pip install --python $(BIN)/python --require-hashes -r requirements/main.txt
	@touch $(MAIN)

$(DEV): $(MAIN) requirements/dev.txt
	@scripts/announce.sh "Installing what the tests need" $(BIN)/uv pip install --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(DEV)

demo: $(MAIN) ## an agent on a real Letta server uses the tools against the local Venice; KEEP=1 keeps its gallery open
	@$(BIN)/python -m sanctum_venice_tools.cli demo $(if $(KEEP),--keep)

demo-code: $(MAIN) ## the conversation in Letta Code, what Letta develops today, but for the attached picture; KEEP=1 as well
	@$(BIN)/python -m sanctum_venice_tools.cli demo --letta-code $(if $(KEEP),--keep)

gallery: $(MAIN) ## what the agents of the demo made, in a browser; samples, where they made nothing yet
	@$(BIN)/python -m sanctum_venice_tools.cli demo --gallery

check: lint drift ## in about a minute: lint, types, drift, and the quick tests that need no Letta server
	$(PYTEST) -m "not server and not slow"

test: lint drift ## everything: lint, types, drift, all tests, and the whole path on a real Letta server
	$(PYTEST)

test-deep: $(DEV) ## the tests that draw their examples, with 500 examples for each, and others each time
	$(PYTEST) -m hypothesis --hypothesis-profile=deep

BENCHMARKS = $(notdir $(basename $(shell grep -l '^@benchmark' benchmarks/*.py)))

bench: ## measure what everything costs, in twenty minutes; QUICK=1 only tries it; make bench-bare and so on: one of them
	@for name in $(BENCHMARKS); do $(MAKE) --no-print-directory bench-$$name || exit 1; done

bench-%: $(DEV)
	@printf '\n== %s ==\n' $* && $(BIN)/python benchmarks/$*.py $(if $(QUICK),--quick)

lint: $(DEV) ## lint and types only
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

drift: $(DEV) ## whether what is generated is as the tools say
	$(BIN)/python scripts/build_schemas.py --check

schemas: $(MAIN) ## write tool_schemas/, skills/, agents/ and README's table of tools anew from the tools
	$(BIN)/python scripts/build_schemas.py

# What this machine trusts, for a program that brings certificates of its own.
TRUSTED = import ssl; paths = ssl.get_default_verify_paths(); print(paths.cafile or paths.capath or "")

audit: $(BIN)/uv ## ask PyPI's list of known holes about each pinned package
	@$(BIN)/uv venv --quiet --clear .local/audit
	@$(BIN)/uv pip install --quiet --python .local/audit --require-hashes -r requirements/audit.txt
	@export REQUESTS_CA_BUNDLE="$${REQUESTS_CA_BUNDLE:-$$($(BIN)/python -c '$(TRUSTED)')}"; \
	for set in requirements/*.txt sanctum_venice_tools/letta/*/requirements.txt; do \
	  echo "$$set" && .local/audit/bin/pip-audit --strict --disable-pip --require-hashes -r "$$set" || exit 1; done

lock: $(BIN)/uv ## pin what was added to pyproject.toml, and leave the other pins as they are
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/lock_requirements.sh

upgrade: $(BIN)/uv ## take newer versions of everything, and pin them
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/lock_requirements.sh --upgrade

clean: ## remove everything that the above installed or wrote, the local server's data included
	rm -rf .venv .local
