# All targets use .venv, which is created on first use with the packages of setup.cfg.
PYTHON ?= python3
BIN := .venv/bin
# the tests of a file run in one process, because they share expensive fixtures; three fill two cores, as some wait
THREE_AT_A_TIME := --numprocesses 3 --dist loadfile --no-loadscope-reorder

.PHONY: run test lint gates check soak format bench docs screenshots clean

run: .venv/installed
	$(BIN)/twistd -n pmslink --demo

# COVERAGE=1 measures the coverage that "make gates" checks
test: .venv/installed-test
	tests/install-debian
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest $(THREE_AT_A_TIME) $(if $(COVERAGE),--cov --cov-report=) $$(tests/install-debian --deselect)

lint: .venv/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.javascript_tools
	$(BIN)/towncrier build --draft --version next > /dev/null

gates: .venv/installed-test
	$(BIN)/coverage report --fail-under=95
	$(BIN)/coverage report --fail-under=100 --include='pmslink/fias/*,pmslink/link/machine.py'

check: lint
	$(MAKE) test COVERAGE=1
	$(MAKE) gates

soak: .venv/installed-test
	tests/install-debian
	$(BIN)/python -m pytest tests/soak --durations=0 $$(tests/install-debian --deselect)

format: .venv/installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/installed-test
	$(BIN)/python -m pytest bench --benchmark-only --benchmark-columns=min,median,rounds
	$(BIN)/python -m bench.posting_throughput
	$(BIN)/python -m bench.commit_throughput
	$(BIN)/python -m bench.resync_throughput
	$(BIN)/python -m bench.reducer_throughput
	$(BIN)/python -m bench.room_memory
	$(BIN)/python -m bench.large_hotel
	$(BIN)/python -m bench.webhook_latency
	$(BIN)/python -m bench.webhook_throughput
	$(BIN)/python -m bench.outbox_drain
	$(BIN)/python -m bench.page_latency
	$(BIN)/python -m bench.page_many_links
	$(BIN)/python -m bench.page_slow_line
	$(BIN)/python -m bench.many_links
	$(BIN)/python -m bench.year_store

docs: .venv/installed-test
	$(BIN)/python -m pmslink.link.machine_diagram docs/machine.md
	$(BIN)/python -m tests.package_diagram docs/architecture.md
	$(BIN)/python -m pmslink.config.settings_reference docs/settings-reference.md
	$(BIN)/python -m tests.page_documents pmslink/web/ui/static

screenshots: .venv/installed-test
	tests/install-debian
	$(BIN)/python -m tests.page.screenshots docs/pictures

clean:
	rm -rf .venv build dist *.egg-info .coverage* .mypy_cache .ruff_cache .hypothesis .benchmarks
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("pmslink needs Python 3.11 or newer, for example: make PYTHON=python3.11 …" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv || { echo 'On Debian: apt-get install python3-venv'; exit 1; }

.venv/installed: .venv/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

.venv/installed-test: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,check,bench]'
	touch $@
