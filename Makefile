# Needs Python 3.10+, git, make and a C++ compiler (llama.cpp is compiled, once, in about six minutes on two cores);
# everything else is installed into .venv.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
WORKERS ?= 2

.PHONY: demo test lint bench clean

demo: $(VENV)/.local
	$(BIN)/nootropic-bot demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/habits.py
	$(BIN)/python .ci/workflows.py

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV)

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else "Python 3.10 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.local: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[local]'
	touch $@

# One pinned PyTorch: the tests of training compare numbers with it.
$(VENV)/.dev: pyproject.toml .ci/package-lock.json | $(VENV)/bin/python
	$(BIN)/python -m pip install -qq --disable-pip-version-check torch==2.13.0
	$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[local,server,cloud,github,serve,train,dev]'
	$(BIN)/python .ci/workflows.py --install
	touch $@ $(VENV)/.local
