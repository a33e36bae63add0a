# `make run` shows the service triaging the sample inbox; `make test` passes the tests. Both set up what they need.
PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: run test lint setup lock train

run: setup
	$(BIN)/triage demo

test: setup lint
	$(BIN)/pytest $(PYTEST_ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import ensurepip, sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	  echo 'Python 3.11 with venv is needed: apt-get install python3.11-venv (or set PYTHON=/path/to/python3.11)'; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes --no-deps --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Needs uv, and the CPU build of torch at hand (docs/decisions.md says why).
lock:
	uv pip compile --quiet --extra dev --generate-hashes --python-version 3.11 --no-header --no-annotate \
	  $(UV_ARGS) pyproject.toml --output-file requirements.lock
	sed -i 's/^torch==2.13.0+cpu/torch==2.13.0/' requirements.lock

train: setup
	$(BIN)/triage train
	$(BIN)/triage train-tagger
	$(BIN)/triage eval weigh
