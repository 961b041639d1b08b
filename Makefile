# One stamp says that .venv is what the lock file asks for; every target stands on it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# Whatever the shell says, compiled modules are kept: without them every worker, and every command
# that a test starts, compiles 2,500 of them anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help install demo test check format bench coverage lock clean

help:            ## what there is to do
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## */  make \1\t/' | expand -t 18

install: $(STAMP) ## put everything into .venv, as locked

$(STAMP): requirements.lock pyproject.toml
	@bash scripts/install.sh "$(PYTHON)" "$(VENV)"
	@touch $@

demo: $(STAMP)   ## a whole case on 336,776 real flights
	@$(BIN)/trackrecord demo flights

check: $(STAMP)  ## the inner loop: lint, types, import rules, fast tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -q -n auto --quick -m "not slow and not browser"

test: $(STAMP)   ## everything that a change must pass
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -n auto --durations=10

format: $(STAMP) ## let ruff lay out the code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(STAMP)  ## the races, each against a named peer in the same run
	@for race in benchmarks/*/run.py; do $(BIN)/python $$race || exit 1; done

coverage: $(STAMP) ## how often the intervals hold the truth, at full length
	$(BIN)/python -m tests.simulation.coverage --full
	$(BIN)/python -m tests.simulation.numbers --samples 2000
	$(BIN)/python -m tests.simulation.inference_tables
	$(BIN)/python -m tests.simulation.rankings
	$(BIN)/python -m tests.simulation.classes

lock:            ## choose the newest versions that fit (needs uv)
	uv pip compile pyproject.toml --extra demo --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --upgrade -o requirements.lock

clean:           ## forget the environment
	rm -rf $(VENV)
