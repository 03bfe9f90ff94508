# Every target first brings .venv up to date (deploy/setup/bootstrap.sh); the second time that takes no time.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
BIN := .venv/bin

.PHONY: help setup demo test lint format bench bench-detectors bench-kafka soak kafka boards stack audit lock clean

help: ## show this list
	@echo 'jiantu 监土: watches the complaint streams of a city and warns early. make TARGET, one of:'
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1 /p' $(firstword $(MAKEFILE_LIST)) | \
	    while read -r target what; do printf '  %-17s%s\n' "$$target" "$$what"; done
	@echo
	@echo 'More for a target: make demo ARGS="--scale 1", make test ARGS="-k watermark", PYTHON=/path/to/python3.12 make setup'

setup: ## make .venv, with the packages of uv.lock (all other targets do this first)
	@./deploy/setup/bootstrap.sh

demo: setup ## simulate a year of Leshan, watch it, and report what was found (under a minute)
	@$(BIN)/jiantu demo $(ARGS)

test: lint ## lint, then every test but the long campaigns
	@$(BIN)/pytest $(ARGS)

# All four are run whatever the first ones say, so that one look shows everything.
lint: setup ## layout, mistakes, types and the direction of imports
	@status=0; \
	step() { echo "== $$*"; "$(BIN)/$$@" || status=1; }; \
	step ruff format --check; \
	step ruff check; \
	step lint-imports --no-logo; \
	step mypy; \
	exit $$status

format: setup ## lay the code out, and mend what ruff can mend safely
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

bench: setup ## measure the embedded and the live service: tables, and JSON
	@$(BIN)/python -m tests.benchmarks.embedded $(ARGS)
	@$(BIN)/python -m tests.benchmarks.live --report

bench-detectors: setup ## outbreaks found beside the limit, calibration, speed, the budget kept, power (an hour)
	@$(BIN)/python -m tests.benchmarks.outbreaks_speed
	@$(BIN)/python -m tests.benchmarks.outbreaks --seed 1 2 3 4 5 --calibration 40 $(ARGS)
	@$(BIN)/python -m tests.benchmarks.power --report
	@$(BIN)/python -m tests.benchmarks.budget --report

bench-kafka: setup ## measure the distributed runtime beside faust, quixstreams, bytewax, Flink, Kafka Streams
	@$(BIN)/python -m tests.benchmarks.kafka $(ARGS)

soak: setup ## the long campaigns, for hours: crashes, disk full, brokers; JIANTU_SOAK_SHARE=0.1 does a tenth of the faults
	@$(BIN)/pytest -m soak $(ARGS)

kafka: setup ## a real broker of Apache Kafka on free ports, until Ctrl-C
	@$(BIN)/python -m tests.kafka $(ARGS)

boards: setup ## write the JSON of the Grafana boards anew, from the programs that build them
	@$(BIN)/python -W error -m dashboards.build $(ARGS)

stack: setup ## everything on this machine, fed by the simulator at 600 times its speed, until Ctrl-C
	@$(BIN)/python -m tests.stack $(ARGS)

audit: setup ## look the locked packages up in the list of known vulnerabilities (needs the network)
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement .venv/requirements.txt $(ARGS)

lock: setup ## write uv.lock anew after a change of pyproject.toml's dependencies
	@$(BIN)/uv lock $(ARGS)

clean: ## remove .venv and what the tools left behind; recordings and data directories stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
