# Everything here brings what it needs: uv, Python 3.11 or 3.10, the packages of uv.lock. Nothing has to be installed by hand.
# make run          a shop to chat with on http://localhost:5005/ (PORT=6000 make run: on another port)
# make test         all checks
# PYTHON=3.10 make  with that Python

.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
READY := .venv/.ready

export RASA_TELEMETRY_ENABLED := false
export TF_CPP_MIN_LOG_LEVEL := 3
export SQLALCHEMY_SILENCE_UBER_WARNING := 1
export PYTHONWARNINGS := ignore
export PYTHONHASHSEED := 0
# Without bytecode on disk each start compiles TensorFlow anew: it takes more than twice as long.
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV

.PHONY: help setup run test test-nlu nlu-baseline train validate lint format pytest bench soak clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## bring uv, Python and the packages (the others do it by themselves)

run: $(READY) ## start the shop: a page to chat on, with a demo shop behind it
	@exec $(BIN)/tendero run

test: $(READY) ## lint, validate and run every test
	@$(MAKE) --no-print-directory lint validate pytest

train: $(READY) ## train the assistant, if anything has changed
	@$(BIN)/tendero train

validate: $(READY) ## check answers, FAQ, policies, examples and rules
	@$(BIN)/tendero validate

lint: $(READY) ## style, types and the arrows between packages
	@$(call quietly,ruff,$(BIN)/ruff check --quiet .)
	@$(call quietly,format,$(BIN)/ruff format --check .)
	@$(call quietly,types,$(BIN)/mypy)
	@$(call quietly,arrows,$(BIN)/lint-imports)

format: $(READY) ## put the code into its form
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .

pytest: $(READY)
	@$(BIN)/pytest -n auto --maxprocesses 4 --dist loadgroup --junitxml=var/reports/tests.xml

test-nlu: $(READY) ## how well messages that training never saw are understood: var/reports/nlu.html
	@$(BIN)/pytest tests/nlu --junitxml=var/reports/nlu.xml

nlu-baseline: $(READY) ## what is understood now becomes what later changes are compared with
	@$(BIN)/python -m tests.nlu

bench: $(READY) ## ours and stock Rasa side by side (the first time it trains stock: an hour and more)
	@$(BIN)/python -m bench

soak: $(READY) ## a day's peak over HTTP: six times the base load for ten minutes
	@$(BIN)/python -m bench.soak

clean: ## remove what was brought and built; var/ stays
	@rm -rf .venv .uv .rasa .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# $(call quietly,name,command): one word when it is fine, everything when it is not.
quietly = out=$$($(2) 2>&1) && echo "$(1) ok" || { echo "$$out"; echo "$(1) FAILED"; exit 1; }

$(READY): pyproject.toml uv.lock
	@./.ci/setup
	@touch $@
