# Waybill. `make` alone prints this menu.
PY := .venv/bin/python
ORDERS ?=
ARGS ?=
.DEFAULT_GOAL := help
.PHONY: help setup run test test-services test-connected exact e2e chaos bench check format up down schemas release-contracts docs contracts clean

help:  ## this menu
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  \033[1mmake %-18s\033[0m %s\n", $$1, $$2}'

setup: .venv/.ready  ## install everything into .venv (Python 3.11+ and a network, nothing else)

run: setup  ## everything on this machine, no Docker; ORDERS=200 ends by itself when they are settled
	@.venv/bin/waybill up $(if $(ORDERS),--orders $(ORDERS)) $(ARGS)

test: setup  ## the fast tests, on real PostgreSQL and an in-process Kafka-protocol broker
	@$(PY) -m pytest -q -n 3 --dist worksteal -m "not services and not connected and not e2e and not chaos" $(ARGS)

test-services: setup  ## whole services, killed and frozen ones too, and long interleavings, on the same parts
	@$(PY) -m pytest -q -n 3 --dist worksteal -m "services and not chaos" $(ARGS)

test-connected: setup  ## the flow on real Apache Kafka (Docker, or Java 17 and Maven, or WAYBILL_KAFKA)
	@$(PY) -m pytest -q -m "connected" tests $(ARGS)

exact: setup  ## the planner against HiGHS on 2,000 random problems of up to 10 lines and 50 sources
	@WAYBILL_ROUTING_INSTANCES=2000 $(PY) -m pytest -q -n 3 --dist worksteal tests/router/test_exact.py $(ARGS)

e2e: setup  ## the life of an order over five processes
	@$(PY) -m pytest -q -m "e2e" tests $(ARGS)

chaos: setup  ## kills and faults under load, on real Apache Kafka
	@$(PY) -m pytest -q -m "chaos" tests $(ARGS)

bench: setup  ## measure, and write benchmarks/out/results.json
	@$(PY) -m benchmarks $(ARGS)

check: setup  ## format, lint, types, boundaries, generated documents
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy libs/*/src services/*/src sandbox/src benchmarks
	@.venv/bin/lint-imports
	@$(PY) -m waybill_contracts.documents . --check
	@$(PY) -m fulfillment_push.drawing docs/mechanisms/sending-requests.md --check

format: setup  ## put every file into form
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

up: .env  ## everything in containers (needs Docker)
	@docker compose -f deploy/compose.yaml --env-file .env up --build

.env:
	@umask 177; echo "WAYBILL_SECRET_KEY=$$(python3 -c 'import secrets; print(secrets.token_urlsafe(32))')" > .env
	@echo "WAYBILL_ADMIN_KEY=wb_$$(python3 -c 'import secrets; print(secrets.token_urlsafe(32))')" >> .env

schemas: setup  ## write JSON Schemas, AsyncAPI, docs/topics.md and the broker's topic list
	@$(PY) -m waybill_contracts.documents .

release-contracts: setup  ## today's messages become yesterday's (when a release is cut, and only then)
	@$(PY) tests/contracts/release_yesterday.py

docs: schemas  ## everything in docs that is generated
	@$(PY) -m fulfillment_push.drawing docs/mechanisms/sending-requests.md

contracts: setup  ## check our requests against the vendors' own specs: make contracts SPECS=DIR
	@test -n "$(SPECS)" || { echo "say where the vendors' specs are: make contracts SPECS=DIR"; exit 2; }
	@SPECS="$(SPECS)" $(PY) -m pytest -q tests/platforms -m "specs" $(ARGS)

clean:  ## remove what runs have left here (database, logs, brokers); .venv stays
	rm -rf .waybill .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis benchmarks/out

.venv/.ready: requirements.lock deploy/setup.sh $(wildcard libs/*/pyproject.toml services/*/pyproject.toml sandbox/pyproject.toml)
	@deploy/setup.sh
	@touch $@
