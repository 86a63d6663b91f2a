# Everything a developer does, one target each. Bare `make` prints this list.
# `make up` and `make test` set up what they need by themselves; running them again costs nothing.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help up test dashboard web-sdk servers chaos check format bench generate clean

# A Python from 3.11 on; override with `make PYTHON=/path/to/python …`.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
BIN := .venv/bin
DISTRIBUTIONS := libs/core libs/embedded services/capture-api services/consumer services/query-api services/auth-api services/dashboard cli sdks/python
NODE_FOLDERS := sdks/web tests/clickhouse/js tests/compat/js
PROJECT_FILES := $(addsuffix /pyproject.toml,$(DISTRIBUTIONS))
SOURCES := $(addsuffix /src,$(DISTRIBUTIONS))

help:  ## Print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

up: .venv/.installed dashboard web-sdk  ## Set up, start everything on this machine, print the addresses and a write key
	@$(BIN)/footfall up

dashboard: .venv/.installed  ## Build the dashboard's pages, where they have changed and Node is there
	@$(BIN)/python scripts/dashboard.py

web-sdk: .venv/.installed  ## Build the script that pages load from /footfall.js, where it has changed and Node is there
	@$(BIN)/python scripts/web_sdk.py

test: .venv/.developed dashboard web-sdk servers  ## Set up and run every test (ARGS="-k funnel" narrows it down)
	@echo "==> Testing"
	@$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder $(ARGS)

servers: .venv/.installed
	@infrastructure/postgres/install.sh
	@infrastructure/redis/install.sh
	@infrastructure/prometheus/install.sh
	@infrastructure/compiler/install.sh
	@infrastructure/chromium/install.sh
	@infrastructure/nginx/install.sh
	@infrastructure/node/install.sh $(NODE_FOLDERS)
	@$(BIN)/python tests/compat/python/install.py

chaos: .venv/.developed servers  ## Every fault on both sets, FOOTFALL_CHAOS_SECONDS each (15 without; half an hour in all)
	@FOOTFALL_CHAOS_SECONDS=$${FOOTFALL_CHAOS_SECONDS:-15} $(BIN)/pytest -m "chaos or not chaos" -s tests/chaos tests/test_outage.py tests/test_runbooks.py libs/core/tests/eventlog/test_kafka.py $(ARGS)

check: .venv/.developed  ## Format, lint, types, import rules, generated files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy $(SOURCES) infrastructure/kafka/brokers.py
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/generate.py --check
	@$(BIN)/python scripts/dashboard.py --check

format: .venv/.developed  ## Format and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

generate: .venv/.developed  ## Rewrite what is generated: OpenAPI documents, settings tables
	@$(BIN)/python scripts/generate.py

bench: .venv/.developed  ## Measure this machine: events/s, freshness, memory, query times
	@$(BIN)/python benchmarks/run.py

clean:  ## Remove what the other targets made, except the data directory
	rm -rf .venv services/dashboard/src/footfall_dashboard/static services/capture-api/src/footfall_capture/static tests/compat/python/.venv sdks/web/dist build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name node_modules -prune -exec rm -rf {} +
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Footfall needs Python 3.11 or newer. Install it, or name it: make PYTHON=/path/to/python up"; exit 1; }
	@echo "==> Making a virtual environment in .venv with $(PYTHON)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt hatchling editables

.venv/.installed: .venv/bin/python constraints.txt requirements.txt $(PROJECT_FILES)
	@echo "==> Installing Footfall and the ClickHouse engine into .venv (about 300 MB, a minute or two the first time)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --constraint constraints.txt --requirement requirements.txt
	@touch $@

.venv/.developed: .venv/.installed requirements-dev.txt
	@echo "==> Installing what tests and checks need"
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --requirement requirements-dev.txt
	@touch $@
