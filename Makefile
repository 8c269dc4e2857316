# Waybill. `make` alone prints this menu.
PY := .venv/bin/python
ORDERS ?=
.DEFAULT_GOAL := help

.PHONY: help setup
help:  ## this menu
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  \033[1mmake %-16s\033[0m %s\n", $$1, $$2}'

setup: .venv/.ready  ## install everything into .venv (Python 3.11+ and a network, nothing else)

.venv/.ready: requirements.lock $(wildcard libs/*/pyproject.toml services/*/pyproject.toml sandbox/pyproject.toml)
	@deploy/setup.sh
	@touch $@
