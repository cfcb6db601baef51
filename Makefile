# Two commands matter to a newcomer: `make run` and `make test`. Both start from nothing but Python 3.11 with pip.

SHELL := /bin/sh
PYTHON ?= $(shell command -v python3.11 || command -v python3)
# Set on some machines; without compiled modules every start takes seconds longer.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV_VERSION := 0.13.8
COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
UV := $(BIN)/uv pip
INSTALL_WITH_UV = $(UV) sync --quiet --require-hashes --python $(BIN)/python requirements-test.lock && \
	$(UV) install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
INSTALL_WITH_PIP = $(PIP) --require-hashes -r requirements-test.lock && $(PIP) --no-deps --no-build-isolation --editable .

.PHONY: setup run test check static coverage races lock browser clean bench eval

setup: $(STAMP)

# The stamp makes a second call a matter of milliseconds; it is remade when what is to be installed has changed.
$(STAMP): requirements-test.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Frontdesk needs Python 3.11 or newer, and no python3 was found." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Frontdesk needs Python 3.11 or newer; $(PYTHON) is older. Use: make PYTHON=/path/to/python3.11 setup" >&2; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@$(PIP) uv==$(UV_VERSION) && $(INSTALL_WITH_UV) || \
		{ echo "uv can't be had or can't install here; pip does it, which is slower."; $(INSTALL_WITH_PIP); }
	@touch $(STAMP)

run: setup
	@exec $(BIN)/frontdesk serve

test: browser static
	@$(BIN)/python -m pytest -n 2 --dist worksteal

check: static
	@$(BIN)/python -m pytest tests/unit --quiet

static: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

coverage: setup browser
	@$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term-missing:skip-covered

# Ratios against bounds measured in the same run: only an otherwise idle machine gives figures worth keeping.
bench: setup
	@$(BIN)/python -m benchmarks.slots --growth >/dev/null
	@$(BIN)/python -m benchmarks.booking >/dev/null
	@$(BIN)/python -m benchmarks.calendars >/dev/null
	@$(BIN)/python -m benchmarks.webhook >/dev/null
	@$(BIN)/python -m benchmarks.console >/dev/null

# Where the published data lies that understanding is measured on; docs/evaluation.md says what it is.
DATA ?= ../shared/data

eval: setup
	@$(BIN)/python -m benchmarks.understanding.report $(DATA) docs/evaluation.md
	@$(BIN)/python -m benchmarks.patients.report $(DATA) docs/evaluation.md

# Many times as many rounds as `make test` runs, with a table of how they ended.
races: setup
	@$(BIN)/python -m benchmarks.races

browser:
	@if test ! -x /usr/bin/chromium; then \
		if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
		else \
			echo "The browser tests need /usr/bin/chromium: install your system's chromium package, then run make test again." >&2; exit 1; \
		fi; \
	fi

lock:
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@test -x $(BIN)/uv || $(PIP) uv==$(UV_VERSION)
	@$(COMPILE) --extra setup --extra test --output-file requirements-test.lock
	@$(COMPILE) --extra setup --constraint requirements-test.lock --output-file requirements.lock

clean:
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
