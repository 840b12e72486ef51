# make demo | test | suites | bench | lint | docs: each does the set-up it needs; a second time that costs nothing.

PYTHON ?= python3
BIN := .venv/bin
SDK := .venv-sdk/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Python keeps what it has compiled, whoever asked for the opposite: the tests start a thousand programs.
unexport PYTHONPATH PYTHONDONTWRITEBYTECODE
# What does not depend on each other is installed side by side.
MAKEFLAGS += --jobs=4

.PHONY: help setup demo test ui pytorch suites bench fuzz lint docs types screens clean
.DEFAULT_GOAL := help

help:
	@echo "make demo   two published tutorials, from nothing to predictions, in a temporary home"
	@echo "make test   every test"
	@echo "make ui     the panels in a browser: every flow, or NAME=tutorial"
	@echo "make pytorch the page about PyTorch, with PyTorch, which the other tests do without"
	@echo "make suites other people's tests, written against AWS; NAME=moto-s3 for one"
	@echo "make bench  every figure, beside its peer and its floor; NAME=s3 for one"
	@echo "make fuzz   every parser of strangers' bytes, SECONDS=60 each; SEEDS=3 runs of the property tests"
	@echo "make chaos  every promise of reliability, under faults: hours, goes on where it stopped"
	@echo "make lint   ruff, mypy, layers, eslint, prettier"
	@echo "make docs   regenerate what is generated in docs/"
	@echo "make screens pictures of every page of the panels; NAME=\"job data\" for some"
	@echo "make clean  remove the virtual environments"

setup: .venv/.ready .venv/.panels .venv-sdk/.ready .venv-sdk1/.ready .venv-sdk3/.ready

demo: .venv/.ready .venv-sdk/.ready
	@$(SDK)/python examples/demo.py

# Two workers a processor: tests wait for processes half of the time. Five thousand tests of real processes
# meet a race now and then: what fails is tried again, twice at most, and the summary tells why.
test: setup
	@$(BIN)/python -m pytest -n $$(( 2 * $$(nproc) )) --maxprocesses 4 --dist loadfile --no-loadscope-reorder --reruns 2 -rsR

ui: .venv/.panels
	@$(BIN)/python -m pytest -rs tests/ui/test_$(or $(NAME),*).py

pytorch: setup .venv-torch/.ready
	@$(BIN)/python -m pytest -rs tests/test_docs.py -k pytorch

suites: .venv/.ready
	@$(BIN)/python -m suites $(NAME)

bench: setup
	@$(BIN)/python -m benchmarks $(NAME)

# SECONDS for each parser, then SEEDS runs of the property tests, each with examples of its own; what is
# found lies in .fuzz/. SEED=7 SEEDS=1 SECONDS=0 repeats one run.
fuzz: SECONDS ?= 60
fuzz: SEEDS ?= 3
fuzz: SEED ?= $(shell date +%s)
fuzz: .venv/.ready
	@$(BIN)/uv pip install -q --python $(BIN)/python 'atheris>=3.0'
	@for name in $$($(BIN)/python tests/fuzz 2>/dev/null); do \
	  echo "$$name, $(SECONDS) s"; \
	  $(BIN)/python tests/fuzz $$name $(SECONDS) -artifact_prefix=.fuzz/ 2>.fuzz/$$name.log || { tail -n 40 .fuzz/$$name.log; exit 1; }; \
	done
	@for number in $$(seq $(SEEDS)); do \
	  seed=$$(( $(SEED) + number - 1 )); \
	  echo "property tests, seed $$seed"; \
	  $(BIN)/python -m pytest -q -m hypothesis --hypothesis-profile=random --hypothesis-seed=$$seed || exit 1; \
	done

# What is known so far lies in .chaos/; ARGS="kills --repeats 50" runs one experiment.
chaos: .venv/.ready
	@PYTHONPATH=tests $(BIN)/python -m chaos $(ARGS)

lint: .venv/.ready node_modules/.ready
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/npm run -s lint

docs: .venv/.ready types
	@$(BIN)/python -m studio.api.compatibility > docs/compatibility.md
	@$(BIN)/python -m studio.algorithms.reference > docs/reference/algorithms.md
	@$(BIN)/python tests/attacks/catalogue.py > docs/reference/attacks.md

# The panels' types of the operations that they call.
types: .venv/.ready
	@$(BIN)/python -m studio.wire.typescript > labextension/src/wire.ts
	@$(BIN)/python -m studio.data.typescript > labextension/src/core/protocol.ts

# Every page in each theme and width, into ui-tests/screens/; those of the documentation to docs/images/.
screens: setup
	@$(BIN)/python ui-tests/screens.py $(NAME)

clean:
	rm -rf .venv .venv-sdk .venv-sdk1 .venv-sdk3 .venv-torch node_modules */node_modules studio/labextension .mypy_cache .ruff_cache .import_linter_cache .suites

# Debian's packages, only the missing ones: command or Python module -> package.
.venv/.system: Makefile
	@missing=""; \
	for pair in bwrap:bubblewrap strace:strace wrk:wrk gcc:gcc faketime:faketime pg_ctlcluster:postgresql mkfs.xfs:xfsprogs mkfs.ext4:e2fsprogs chromium:chromium mpirun:openmpi-bin dockerd:docker.io tini:tini; do \
	  command -v "$${pair%%:*}" >/dev/null || missing="$$missing $${pair##*:}"; \
	done; \
	$(PYTHON) -c "import ensurepip" 2>/dev/null || missing="$$missing python3-venv"; \
	if [ -n "$$missing" ]; then \
	  command -v apt-get >/dev/null || { echo "Please install:$$missing"; exit 1; }; \
	  echo "Installing$$missing"; \
	  as_root=""; [ "$$(id -u)" = 0 ] || as_root=sudo; \
	  $$as_root apt-get -qq update && \
	  DEBIAN_FRONTEND=noninteractive $$as_root apt-get -qq install -y --no-install-recommends $$missing >/dev/null; \
	fi
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed; name one: make PYTHON=python3.12')"
	@mkdir -p .venv && touch $@

.venv/bin/uv: .venv/.system
	@echo "Making .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q uv
	@touch $@

.venv/.ready: .venv/bin/uv pyproject.toml
	@echo "Installing Studio into .venv"
	@SKIP_JUPYTER_BUILDER=1 $(BIN)/uv pip install -q --python $(BIN)/python -e '.[test,lint,bench]'
	@touch $@

# node and npm are in .venv too; what they install is in node_modules.
node_modules/.ready: .venv/.ready package-lock.json
	@echo "Installing what builds and tests the panels into node_modules"
	@$(BIN)/npm ci --silent
	@touch $@

# JupyterLab finds the panels in this tree: what is built is what is seen.
.venv/.panels: node_modules/.ready $(shell find labextension -type f -not -path '*/node_modules/*' -not -path '*/lib/*')
	@echo "Building the panels"
	@$(BIN)/npm run -s -w labextension build:prod >.venv/panels.log 2>&1 || { cat .venv/panels.log; exit 1; }
	@mkdir -p .venv/share/jupyter/labextensions
	@rm -rf .venv/share/jupyter/labextensions/jupyter-ml-studio
	@ln -s $(CURDIR)/studio/labextension .venv/share/jupyter/labextensions/jupyter-ml-studio
	@touch $@

# Three generations of AWS's SDK, which share one name: 1, 2 (the examples' own) and 3. Their remote
# functions call pip.
.venv-sdk/.ready: examples/requirements.txt
.venv-sdk1/.ready: tests/sdk/requirements-v1.txt
.venv-sdk3/.ready: tests/sdk/requirements-v3.txt
.venv-sdk/.ready .venv-sdk1/.ready .venv-sdk3/.ready: .venv/bin/uv
	@echo "Installing AWS's SDK into $(@D)"
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@$(BIN)/uv pip install -q --python $(@D)/bin/python -r $(filter %.txt,$^)
	@touch $@

# By pip, which looks where it is configured to for a build of the machine's own.
.venv-torch/.ready: tests/sdk/requirements-torch.txt
	@echo "Installing PyTorch into $(@D)"
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install -q -r $<
	@touch $@
