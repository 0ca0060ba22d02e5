# kineseg: everything that is run here, `make help` lists it.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INPUT ?=
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test bench report check lint types stubs quality readme protos train-default clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.service ## segment a synthetic stream live and write demo-output/; INPUT=file for a recording of yours
	@$(BIN)/kineseg demo $(if $(INPUT),"$(INPUT)") --out demo-output $(ARGS)

test: $(VENV)/.dev ## all tests, a process a core; ARGS="-k name" for some
	@$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

bench: $(VENV)/.dev ## decoder steps/s, live streams, memory per stream: a table, and bench-output/*.json
	@$(BIN)/python -m evaluation.bench --out bench-output $(ARGS)

quality: $(VENV)/.quality ## our segments and those of others on every development set: a table, quality-output/; ARGS="--help"
	@$(BIN)/python -m evaluation.quality $(ARGS)

report: $(VENV)/.dev ## the science behind it: every model trained and compared, report-output/report.html; ARGS="--help"
	@$(BIN)/kineseg-train report report-output $(ARGS)

check: lint types stubs test readme ## what CI runs

lint: $(VENV)/.dev ## style of the code and of the protos, and that these break no client
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/buf lint protos
	@$(BIN)/python protos/breaking.py

types: $(VENV)/.dev ## strict types of all packages
	@$(BIN)/mypy

stubs: $(VENV)/.dev ## the generated stubs are what the protos say, the schema of events what the SDK says
	@$(BIN)/python protos/generate.py --check
	@$(BIN)/python clients/python/generate_schema.py --check

readme: $(VENV)/.dev ## what the README and the page on streaming say to run does run, and prints what they say
	@$(BIN)/python tests/readme_commands.py README.md docs/streaming.md

protos: $(VENV)/.dev ## generate the Python stubs from protos/, and the schema of events from the SDK
	@$(BIN)/python protos/generate.py
	@$(BIN)/python clients/python/generate_schema.py

train-default: $(VENV)/.dev ## train the bundle that the service ships (needs ../shared/data)
	@$(BIN)/kineseg-train default $(ARGS)

clean: ## remove what the targets above have made, the environment included
	rm -rf $(VENV) demo-output bench-output quality-output report-output runs build *.egg-info

# The environment, in two steps, so that the demo does not wait for torch.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kineseg needs Python 3.11 or newer, $(PYTHON) is %d.%d: make PYTHON=python3.12 ..." % sys.version_info[:2])'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.service: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[service]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.service

# claspy's own pins forbid the NumPy and SciPy used here, with which it works; it has no wheel for Python 3.13.
$(VENV)/.quality: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,quality]'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps claspy==0.2.8 || echo "without claspy"
	@touch $@ $(VENV)/.dev $(VENV)/.service
