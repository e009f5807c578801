# make help says what there is. Everything runs from .venv, which is made on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --progress-bar off
PADDLE26 := .venv-paddle26
BENCHMARKS := $(wildcard benchmarks/bench_*.py)

.DEFAULT_GOAL := help
.PHONY: help demo test test-paddle26 lint format bench clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## the loop once, with real weights, on a small domain that it makes itself
	$(BIN)/datakit demo

test: $(VENV)/.dev ## every test, with coverage
	$(BIN)/python -m pytest --cov --cov-report=term

test-paddle26: $(PADDLE26)/.dev ## the trainer's tests on paddlepaddle 2.6.2 (Python 3.10 to 3.12)
	$(PADDLE26)/bin/python -m pytest tests/train

lint: $(VENV)/.dev ## ruff (rules and format) and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev ## let ruff put the code into form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## the short benchmarks, benchmarks/bench_*.py (the others are started by name)
	@test -n "$(BENCHMARKS)" || echo "no benchmark yet: benchmarks/bench_*.py"
	@set -e; for file in $(BENCHMARKS); do echo "== $$file"; $(BIN)/python $$file; done

clean: ## remove what the other targets made, .venv too; pulled weights stay in the cache
	rm -rf $(VENV) $(PADDLE26) demo-out build dist .coverage htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find datakit synth train fonts corpora tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than pyproject.toml when what it stands for is installed.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "$(PYTHON) is older than Python 3.10: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	@echo "installing datakit, Paddle and fonts into $(VENV): about 400 MB, a few minutes the first time"
	$(PIP) -e '.[train,fonts]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	@echo "installing datakit, Paddle, fonts and the test tools into $(VENV): about 450 MB, a few minutes the first time"
	$(PIP) -e '.[train,fonts,dev]'
	@touch $@

$(PADDLE26)/.dev: pyproject.toml
	$(PYTHON) -m venv $(PADDLE26)
	$(PADDLE26)/bin/python -m pip --disable-pip-version-check install --quiet --progress-bar off \
	  -e '.[train,fonts,dev]' 'paddlepaddle==2.6.2'
	@touch $@
