# Every command a person needs. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help run test test-sqlite test-services test-browser test-door check mutants bench format services services-stop lock audit \
	base dev lint types imports migrations deploy schemas conventions

PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8000
export PYTHONUNBUFFERED := 1
PYTEST := $(BIN)/python -m pytest

# What a production environment decides; `check --deploy` is clean with it.
PRODUCTION := DEBUG=false VAR_DIR=var/check-deploy SECRET_KEY=long-enough-and-random-enough-to-be-checked-but-no-secret-5pQ8 SITE_URL=https://atelier.example \
	ALLOWED_HOSTS=atelier.example STRIPE_SECRET_KEY=sk_live_check STRIPE_WEBHOOK_SECRET=whsec_check STRIPE_API_BASE= \
	EMAIL_URL=smtp+tls://mail.atelier.example:587 SELLER_NAME=Atelier SELLER_ADDRESS='1 Street|12345 Town' SELLER_VAT_ID=DE123456788

help: ## List the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: base ## Run the site on 127.0.0.1:8000 (PORT= changes it); nothing needs to be installed first
	@$(BIN)/python -m tools.run --port $(PORT)

test: dev ## All tests: on SQLite (test-sqlite), with services (-services), in the browser (-browser), at the door (-door)
	@$(BIN)/python -m tools.testing sqlite services browser door

test-sqlite test-services test-browser test-door: test-%: dev ## One part of the tests (DJANGO='>=6' for another Django than the locked)
	@$(BIN)/python -m tools.testing $*

check: lint types imports migrations deploy schemas conventions ## Style, types, import rules, migrations, deployment

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint --lint --quiet templates

types: dev
	$(BIN)/mypy .

imports: dev
	$(BIN)/lint-imports --no-logo

migrations: dev
	DEBUG=true $(BIN)/python manage.py makemigrations --check --dry-run

deploy: dev
	@echo 'manage.py check --deploy, with the settings of a production environment'
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

schemas: dev
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/idea.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml

conventions: dev
	$(PYTEST) --quiet tests/test_conventions.py tests/test_imports.py tests/test_task_names.py

format: dev ## Put the code in order
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

mutants: dev ## See which changes of the code no test minds (TARGETS=orders SAMPLE=50); half an hour and more
	@$(BIN)/python -m tools.mutants $(TARGETS) --sample $(or $(SAMPLE),300)

bench: dev ## Benchmarks (`python -m bench peers` compares with other projects, which it downloads)
	@$(BIN)/python -m bench

services: dev ## Find or start PostgreSQL, Redis, RabbitMQ and Chromium; leaves them running
	@$(BIN)/python -m tools.services start

services-stop: dev ## Stop what `make services` started
	@$(BIN)/python -m tools.services stop

lock: dev ## Resolve requirements/*.in again
	for lock in base dev production bench-peers; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
			--custom-compile-command "make lock" requirements/$$lock.in -o requirements/$$lock.txt || exit; done

audit: dev ## Ask PyPI for published advisories about the locked libraries; needs the network, so nothing else runs it
	$(BIN)/uvx --quiet pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
		--requirement requirements/production.txt

base dev:
	@$(PYTHON) tools/bootstrap.py $@ '$(DJANGO)'
