# kineseg: everything that is run here, `make help` lists it.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PROTOS_VENV := $(VENV)-protos
DEPLOY_VENV := $(VENV)-deploy
DIST ?= dist
INPUT ?=
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test bench chaos report check lint types stubs quality readme protos train-default clean sdk-ranges package \
	workflows site site-check release-files deploy-check

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## motion played as capture software would, segmented live, on a page; demo-output/; INPUT=file for yours
	@$(BIN)/kineseg demo $(if $(INPUT),"$(INPUT)") --out demo-output $(ARGS)

test: $(VENV)/.dev ## all tests, a process a core; ARGS="-k name" for some
	@$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

bench: $(VENV)/.dev ## decoder steps/s, live streams, memory per stream: a table, and bench-output/*.json
	@$(BIN)/python -m evaluation.bench --out bench-output $(ARGS)

quality: $(VENV)/.quality ## our segments and alerts, and those of others, on every set: tables, quality-output/; ARGS="--help"
	@$(BIN)/python -m evaluation.quality $(ARGS)

chaos: $(VENV)/.chaos ## servers killed, networks lost, disks full, hostile clients: what becomes of the streams; chaos-output/
	@$(BIN)/python -m evaluation.chaos --out chaos-output $(ARGS)

report: $(VENV)/.dev ## the science behind it: every model trained and compared, report-output/report.html; ARGS="--help"
	@$(BIN)/kineseg-train report report-output $(ARGS)

check: lint types stubs workflows deploy-check site-check test readme sdk-ranges package ## what CI runs

lint: $(VENV)/.dev ## style of the code and of the protos, and that these break no client
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/buf lint protos
	@$(BIN)/python protos/breaking.py

types: $(VENV)/.dev ## strict types of all packages
	@$(BIN)/mypy

stubs: $(PROTOS_VENV)/.ready ## the generated stubs are what the protos say, the schema of events what the SDK says
	@$(PROTOS_VENV)/bin/python protos/generate.py --check
	@$(BIN)/python clients/python/generate_schema.py --check

readme: $(VENV)/.dev ## what the README and the page on streaming say to run does run, and prints what they say
	@$(BIN)/python tests/readme_commands.py README.md docs/streaming.md

sdk-ranges: $(VENV)/.dev ## the SDK's tests with the oldest and with the newest libraries that it allows
	@$(BIN)/python -m tests.packaging.ranges $(ARGS)

site: $(VENV)/.dev ## the documentation as a site, build/site/html: guides, gallery, API, protocol, science
	@$(BIN)/python docs/site/build.py

site-check: $(VENV)/.dev ## the site builds without a warning, and its links lead somewhere; the gallery is not run
	@$(BIN)/python docs/site/build.py --fast

package: $(VENV)/.dev ## wheel and sdist into DIST, checked, installed with several extras and run outside of the tree
	@$(BIN)/python -m tests.packaging.package --out $(DIST)

release-files: package ## and beside them a bill of materials and the notices of third parties, dist-beside/
	@$(BIN)/python -m tests.packaging.release --dist $(DIST) --out dist-beside

# The schema of workflows and an audit, which come from PyPI; actionlint, which does not, where it is found.
workflows: $(VENV)/.dev ## the GitHub workflows are valid and safe; with actionlint where that is installed
	@$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/zizmor --offline --quiet .github/workflows
	@if command -v actionlint > /dev/null; then actionlint; else echo "without actionlint, which is not installed"; fi

deploy-check: $(DEPLOY_VENV)/.ready ## deploy/ without an engine, and from a source to an alert; ARGS=--image also makes the image
	@$(DEPLOY_VENV)/bin/python deploy/check/check.py $(ARGS)
	@$(BIN)/python -m pytest -q tests/deploy/test_chain.py

protos: $(PROTOS_VENV)/.ready ## generate the Python stubs from protos/, and the schema of events from the SDK
	@$(PROTOS_VENV)/bin/python protos/generate.py
	@$(BIN)/python clients/python/generate_schema.py

train-default: $(VENV)/.dev ## train the bundle that the service ships (needs ../shared/data)
	@$(BIN)/kineseg-train default $(ARGS)
	@$(BIN)/kineseg-train boundary-network service/kineseg_core/bundles/default

clean: ## remove what the targets above have made, the environment included
	rm -rf $(VENV) $(PROTOS_VENV) $(DEPLOY_VENV) demo-output bench-output chaos-output quality-output report-output runs build dist dist-beside *.egg-info

# The environment, in two steps, so that the demo does not wait for torch, nor for the byte code of what it never imports.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kineseg needs Python 3.11 or newer, $(PYTHON) is %d.%d: make PYTHON=python3.12 ..." % sys.version_info[:2])'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[service,cli,plot,page]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.demo

# atheris, which fuzzes the readers of files, has no wheel for some systems; without it that trial says so.
$(VENV)/.chaos: $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[fuzz]' || echo "without atheris"
	@touch $@

# claspy's own pins forbid the NumPy and SciPy used here, with which it works; it has no wheel for Python 3.13.
$(VENV)/.quality: pyproject.toml constraints.txt | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,quality]'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps claspy==0.2.8 || echo "without claspy"
	@touch $@ $(VENV)/.dev $(VENV)/.demo

# What makes the stubs is older than the rest, see protos/requirements.txt.
$(PROTOS_VENV)/.ready: protos/requirements.txt | $(VENV)/.dev
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(PROTOS_VENV)
	@$(BIN)/uv pip install --quiet --python $(PROTOS_VENV)/bin/python -r protos/requirements.txt
	@touch $@

# What only looks at files for others: none of it is imported here.
$(DEPLOY_VENV)/.ready: deploy/check/requirements.txt | $(VENV)/.dev
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(DEPLOY_VENV)
	@$(BIN)/uv pip install --quiet --python $(DEPLOY_VENV)/bin/python -r deploy/check/requirements.txt || echo "without some checkers"
	@touch $@
