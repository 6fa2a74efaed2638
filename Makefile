# Everything below makes its own virtual environment; Python 3.11 or later and make are all that must be there.
#
#   PYTHON  the interpreter that makes the environment       make test PYTHON=python3.12
#   VENV    where the environment lies                       make test VENV=/tmp/seglosses
#   TORCH   what pip is asked for before everything else     make test TORCH='torch>=2.13,<2.14'
#   OLDEST  the environment of the oldest releases           make test-oldest OLDEST=/tmp/oldest
#
# torch comes first, and alone, so that nothing that is installed later chooses a newer one. On Linux the default
# wheel brings CUDA along; for the CPU build set PIP_EXTRA_INDEX_URL to the index that PyTorch's install page names.
PYTHON ?= $(shell command -v python3.11 || echo python3)
VENV ?= .venv
TORCH ?= torch==2.13.0

PIP := $(VENV)/bin/python -m pip -qq --disable-pip-version-check
BIN := $(VENV)/bin

# More threads than cores are at work below; those of torch would spin while they wait and hold up the others.
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: help demo test lint costs docs test-slow test-oldest dist bench bench-quick gpu peers examples study study-quick
.NOTPARALLEL:

help:
	@echo "make demo       train a small U-Net on digits, compare every loss in every framework, check conformance"
	@echo "make test       ruff, mypy and pytest"
	@echo "make lint       ruff and mypy only"
	@echo "make costs      the seconds that the tests of each loss took in the last make test"
	@echo "make docs       the pages that are made by running things, and the site"
	@echo "make test-slow  the tests that take longer"
	@echo "make test-oldest  tests of every package beside the oldest releases that it can be installed with"
	@echo "make dist       wheel and sdist in dist/, checked and installed in an environment of their own"
	@echo "make bench      time and memory beside other libraries, the page and the pictures: half an hour on two cores"
	@echo "make bench-quick  a few of those on the terminal: a few minutes"
	@echo "make gpu        conformance, large tensors and the benchmark on a CUDA device, and the page: six minutes"
	@echo "make peers      the losses of other libraries against what was recorded of them, with the releases that PYTHON has"
	@echo "make examples   the examples on little data, those too whose libraries are in PYTHON alone"
	@echo "make study      the sources' experiments, from where they were left, and the pages about them: hours on two cores"
	@echo "make study-quick  the same with few scenes and three epochs: a few minutes"

# One stamp for each extra of pyproject.toml: `installed-test` says that seglosses[test] is there.
$(VENV)/installed-%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install "$(TORCH)"
	$(PIP) install --editable ".[$*]"
	@touch $@

demo: $(VENV)/installed-demo
	$(BIN)/python examples/demo.py

test: lint
	$(BIN)/python -m pytest --quiet --numprocesses 2 --dist loadfile --no-loadscope-reorder --junitxml $(VENV)/tests.xml

lint: $(VENV)/installed-test
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --quiet --check
	$(BIN)/mypy

costs:
	$(BIN)/python tests/cost_of_losses.py $(VENV)/tests.xml

docs: $(VENV)/installed-docs
	$(BIN)/python docs/make_mistakes.py
	$(BIN)/python docs/make_presets.py
	$(BIN)/python docs/make_limits.py
	$(BIN)/python docs/make_distributed.py
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet docs site

test-slow: $(VENV)/installed-test
	$(BIN)/python -m pytest --quiet -m slow

# Of the releases in tests/oldest.txt, in an environment of their own. TORCH is not asked; where the only wheel of an old
# torch is that for CUDA, an environment made by hand will do, in which `installed` is newer than those two files.
OLDEST ?= $(VENV)-oldest
WITH_OLDEST := $(OLDEST)/bin/python -m pip -qq --disable-pip-version-check install --constraint tests/oldest.txt
$(OLDEST)/installed: pyproject.toml tests/oldest.txt
	test -x $(OLDEST)/bin/python || $(PYTHON) -m venv $(OLDEST)
	$(WITH_OLDEST) --editable ".[all]" hypothesis optax pytest
	@touch $@

# torch by itself: what its old compiler makes flushes subnormal numbers to 0 in the whole process.
test-oldest: $(OLDEST)/installed
	$(OLDEST)/bin/python -m pytest --quiet tests/torch
	$(OLDEST)/bin/python -m pytest --quiet tests/jax tests/keras tests/core/test_imports.py tests/core/test_purity.py \
		tests/core/test_reference_values.py tests/core/test_region_reference_values.py tests/core/test_relations.py
	$(OLDEST)/bin/python -m seglosses_conformance --quick --losses CrossEntropyLoss,DiceLoss,FocalLoss

dist: $(VENV)/installed-dist
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl
	$(BIN)/python -m pytest --quiet -m "slow or not slow" tests/test_distribution.py

# Without the setting above, which nobody has who trains.
bench: $(VENV)/installed-bench
	env -u OMP_WAIT_POLICY $(BIN)/python -m benchmarks --save

bench-quick: $(VENV)/installed-bench
	env -u OMP_WAIT_POLICY $(BIN)/python -m benchmarks --quick

# Nothing is installed: with PYTHON, and PYTHONPATH for what that lacks, it runs where CUDA's packages are.
gpu:
	env -u OMP_WAIT_POLICY $(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) -m benchmarks.gpu --all

# Nothing is installed for these two either: they are for an environment that has the other libraries.
peers:
	$(PYTHON) tests/presets/record.py --compare

examples:
	$(PYTHON) -m pytest --quiet -rs tests/test_examples.py

study: $(VENV)/installed-study
	$(BIN)/python -m study
	$(BIN)/python -m study.papers

study-quick: $(VENV)/installed-study
	$(BIN)/python -m study --quick
