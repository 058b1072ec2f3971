# `make demo` and `make test` are the two commands; both need Python 3.11+ and a package index, nothing else.
PYTHON ?= python3
PERSONS ?= 20000
SEED ?= 20260115
REGISTRY ?=
# More than the two cores CI has: tests wait for servers a third of their time.
WORKERS ?= 3
HUILIU = .venv/bin/huiliu

.PHONY: demo stop test bench lint setup setup-dev lock help

help:
	@echo "make demo [PERSONS=20000] [REGISTRY=file.csv]  a city's data through the whole flow, in Airflow; again = the next day"
	@echo "make stop                                      stop every service of the demo"
	@echo "make test [WORKERS=3]                          everything CI runs, tests in so many processes"
	@echo "make bench                                     benchmarks, as ratios measured side by side"
	@echo "make lint                                      ruff, mypy, import rules, sqlfluff, dbt parse"

setup:
	@PYTHON="$(PYTHON)" scripts/setup.sh requirements.lock

setup-dev:
	@PYTHON="$(PYTHON)" scripts/setup.sh requirements-dev.lock

demo: setup
	@HUILIU_REGISTRY="$(abspath $(REGISTRY))" $(HUILIU) demo --persons $(PERSONS) --seed $(SEED)

stop:
	@if [ -x $(HUILIU) ]; then $(HUILIU) down; else echo "nothing is set up here"; fi

lint: setup-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/sqlfluff lint --processes $(WORKERS) dbt_project/models
	.venv/bin/dbt --quiet --warn-error parse --project-dir dbt_project --profiles-dir dbt_project

test: lint
	@scripts/install_test_servers.sh
	.venv/bin/python -m pytest -n $(WORKERS)

bench: setup-dev
	.venv/bin/python -m benchmarks

# After a change of the dependencies in pyproject.toml. No index address gets into a lock file.
lock: setup-dev
	.venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements-bootstrap.lock requirements-bootstrap.in
	.venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements.lock pyproject.toml
	.venv/bin/uv pip compile --universal --python-version 3.11 --extra dev -c requirements.lock --generate-hashes --no-emit-index-url --no-header --quiet -o requirements-dev.lock pyproject.toml
