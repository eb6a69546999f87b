# Each target is one line of `python3 -m setup`, which a machine without make runs as well.
PYTHON3 ?= $(shell test -x /usr/bin/python3 && echo /usr/bin/python3 || echo python3)
SETUP = @$(PYTHON3) -m setup

.PHONY: up down status logs password test check bench purge lock help

help: ## Say what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST)
up: ## Bring this machine to a running panel and print its link
	$(SETUP) up
down: ## Stop the panel; what it deployed goes on
	$(SETUP) down
status: ## Say what runs
	$(SETUP) status
logs: ## Follow the logs
	$(SETUP) logs
password: ## Print a link by which NAME=… chooses a new password
	$(SETUP) password $(NAME)
test: ## Set up what the tests need and run them (ARGS='-k word')
	$(SETUP) test $(ARGS)
check: ## Lint, types, imports, migrations
	$(SETUP) check
bench: ## Measure; prints a table and writes build/bench.json
	$(SETUP) bench
purge: ## Remove the panel, its containers and its data from this machine
	$(SETUP) purge
lock: ## Renew uv.lock and the set-up's own list
	.tools/bin/uv lock
	.tools/bin/uv export --quiet --frozen --only-group tools --no-emit-project --no-header --output-file setup/tools.txt
