# make check FILE=photo.jpg    a verdict on a photograph or a video (without FILE: on the sample in samples/)
# make serve                   the browser app, on this machine alone
# make test                    lint, types and tests
# make docs                    the documentation as a site, in docs/_build/html; warnings are errors
# make test-lab                the same with PyTorch, so that the tests of the lab run instead of being skipped
#
# Each makes .venv first, and again whenever pyproject.toml changes. Needs Python 3.11 to 3.13 and the package
# index, nothing else. PYTHON=/path/to/python3 picks another interpreter; ARGS='--lang zh' goes to `haechi check`.

FILE ?= samples/astronaut.jpg
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
# Without --no-compile, 30 MB of bytecode would be written that is never run.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile

# Names with blanks, quotes and dollar signs reach the command unharmed through the environment.
override FILE := $(value FILE)
export FILE

.PHONY: check serve test test-lab docs clean
.DELETE_ON_ERROR:

check: $(VENV)/.installed
	@$(BIN)/haechi check $(ARGS) -- "$$FILE"

serve: $(VENV)/.installed-web
	@$(BIN)/haechi serve $(ARGS)

test-lab: $(VENV)/.installed-lab
test: $(VENV)/.installed-dev
test test-lab:
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile -m 'not browser'
	$(BIN)/python -m pytest -m browser

docs: $(VENV)/.installed-docs
	$(BIN)/python -m sphinx -W --keep-going --quiet -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html"

clean:
	rm -rf $(VENV) docs/_build .mypy_cache .pytest_cache .ruff_cache

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(PIP) --editable .
	@touch $@

# The lab without what it needs: its verbs are there, and the tests that need PyTorch are skipped.
$(VENV)/.installed-dev: pyproject.toml lab/pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[dev]'
	$(PIP) --no-deps --editable ./lab
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-lab: $(VENV)/.installed-dev
	$(PIP) --editable ./lab
	@touch $@

$(VENV)/.installed-%: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[$*]'
	@touch $@ $(VENV)/.installed

$(BIN)/python:
	@for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
	  if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
	    echo "making $(VENV) with $$($$python --version)"; exec $$python -m venv $(VENV); \
	  fi; \
	done; \
	echo "Haechi needs Python 3.11, 3.12 or 3.13; install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1
