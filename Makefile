.DEFAULT_GOAL := help
.PHONY: help venv setup licences drill screens interrupted zombie versions late-flush foreign adopting race matrix real-chart trial contract large-engine model growth status-answer properties test style lint unit coverage broker browser engine docs up down

# The Python environment lives in the cache, one for each state of the lock file: named by it, so it is made once,
# whichever checkout is newer, and never while another one runs from it.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/camunda-dual-region
LOCK := $(firstword $(shell sha256sum requirements-dev.lock | cut -c1-12))
VENV := $(CACHE)/venv-$(LOCK)
PYTHON := $(VENV)/bin/python
# The generator of the documents' site has an environment of its own, as no test and no user needs it.
DOCS_VENV := $(CACHE)/venv-docs-$(firstword $(shell sha256sum requirements-docs.lock | cut -c1-12))
# What the tests in a browser need is one file of a package, which is installed without what it depends on.
AXE := $(CACHE)/axe-$(firstword $(shell sha256sum requirements-browser.lock | cut -c1-12))
ARGS :=
CHART :=
# A part of the set-up that is missing fails the tests that need it, instead of skipping them.
PYTEST := $(PYTHON) -m pytest --complete
# Unit tests are independent of each other, and so are engine tests, each process with API servers of its own.
UNIT_TESTS := $(PYTEST) -n logical --maxprocesses 8 tests/unit
ENGINE_TESTS := $(PYTEST) -n 2 --dist worksteal --durations=12 tests/engine

# With the flags of the set-up's build, whose compiled packages are used.
BROKER := cd sandbox/broker && GOFLAGS="-mod=readonly -trimpath -gcflags=all=-dwarf=false" GOWORK=off CGO_ENABLED=0
BUDGET := 60
MINUTES := 60
RECORDS := 3000000
ROUNDS := 3
FAULTS := 1
# The contract's tests mostly wait; each process has brokers of its own.
CONTRACT_TESTS := $(PYTEST) -n 8 --dist worksteal tests/contract
AT :=

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

venv: $(VENV)/ready ## Make the Python environment

$(VENV)/ready: LOCKED := requirements-dev.lock
$(DOCS_VENV)/ready: LOCKED := requirements-docs.lock
$(VENV)/ready $(DOCS_VENV)/ready:
	@mkdir -p $(CACHE)
	@flock $(CACHE)/venv.lock sh -ec ' \
	  test ! -e $@ || exit 0; \
	  echo "python: making the environment of $(LOCKED)"; \
	  rm -rf $(@D); \
	  python3 -m venv $(@D); \
	  $(@D)/bin/pip install --quiet --require-hashes -r $(LOCKED); \
	  touch $@'

$(AXE)/ready: $(VENV)/ready
	@rm -rf $(@D)
	@$(PYTHON) -m pip install --quiet --no-deps --require-hashes --target $(@D) -r requirements-browser.lock
	@touch $@

docs: $(DOCS_VENV)/ready ## Build the documents as a site in out/site; every link within it must lead somewhere
	@$(DOCS_VENV)/bin/sphinx-build --quiet --fail-on-warning --keep-going -E -c docs -d out/site-doctrees . out/site
	@cp out/site/README.html out/site/index.html
	@echo "the site is out/site/index.html"

setup: venv ## Make or fetch everything the sandbox needs (cached, resumable)
	@$(PYTHON) -m sandbox setup

licences: setup $(DOCS_VENV)/ready $(AXE)/ready ## Make the list of licences and its document again, after a change of versions
	@$(PYTHON) -m sandbox.licences $(DOCS_VENV)/lib/python3*/site-packages $(AXE)

drill: setup ## Rehearse the procedure; ARGS="--camunda 8.8 --lost 0" and others, which ARGS=--help lists
	@$(PYTHON) -m drill $(ARGS)

screens: venv ## Take the screens of the last whole drill into docs/screens
	@$(PYTHON) -m tools.screens

up: setup ## Start the two regions and leave them running
	@$(PYTHON) -m sandbox up

down: venv ## Take the two regions down
	@$(PYTHON) -m sandbox down

style: venv ## Formatter, linter, layers (seconds; what pre-commit runs)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/lint-imports

lint: style ## The same, types, and the broker's Go
	$(VENV)/bin/mypy
	@$(BROKER) sh -ec 'wrong=$$(gofmt -l .); test -z "$$wrong" || { echo "gofmt -w $$wrong" >&2; exit 1; }; go vet ./...'

large-engine: setup ## Measure step B2's looks on a search engine that holds RECORDS=3000000 records
	unshare --net sh -c 'ip link set lo up && exec $(PYTHON) -m tests.benchmarks.large_engine $(RECORDS)'

status-answer: setup ## Measure how long `dualregion status` takes, ROUNDS=3 times each way
	@$(PYTHON) -m tests.benchmarks.status_answer $(ROUNDS)

model: venv ## Explore every interleaving of both stacks' runs with FAULTS=1 faults (minutes of CPU); ARGS="8.5" or "api --lost"
	$(PYTHON) -m tests.model --faults $(FAULTS) $(ARGS)

growth: venv ## Measure what grows with partitions, brokers, indices and latency, and draw it
	$(PYTHON) -m tests.benchmarks.growth

properties: setup ## Try random inputs, each property test for BUDGET seconds (a nightly run: BUDGET=600)
	@$(PYTEST) -n logical --maxprocesses 8 -m property --budget $(BUDGET) tests/unit

unit: setup ## Unit tests (seconds)
	$(UNIT_TESTS)

coverage: setup ## Unit tests, and how much of the core and the steps they run, which has a floor
	$(UNIT_TESTS) --cov

engine: setup ## Engine tests: real pulumi, real API servers
	$(ENGINE_TESTS)

interrupted: setup ## A drill in which every `pulumi up` is killed at every point and run again
	$(PYTEST) tests/interrupted

zombie: setup ## Drills in which the lost region lives and comes back, with and without the isolation, or with two operators
	$(PYTEST) tests/zombie

versions: setup ## Drills of Camunda 8.6 to 8.10, of either region, some with more brokers
	$(PYTEST) tests/versions

late-flush: setup ## Drills in which a broker writes its buffers only after the copy was made
	$(PYTEST) tests/late_flush

foreign: setup ## Drills on two clusters that are there already (the sandbox, as if it belonged to others)
	$(PYTEST) tests/foreign

adopting: setup ## A drill that adopts what plain Helm has installed, and loses a region then
	$(PYTEST) tests/adopting

race: setup ## The procedure's own commands by script, and the program, over the same course; ARGS="--racers script,pulumi,command --lost 1,0 --start-delay 0,10 --rounds N --until failover"
	@$(PYTHON) -m drill.race $(ARGS)

matrix: setup ## Cells of the fault matrix, the least recently run first, within MINUTES=60; ARGS="--only 'broker-killed lost1' --seed N --repeat N --alone --show"
	@$(PYTHON) -m drill.matrix --minutes $(MINUTES) $(ARGS)

real-chart: setup ## Engine tests and a drill with a chart of yours, such as Camunda's own: CHART=folder or archive
	@test -e "$(CHART)" || { echo "name the chart: make real-chart CHART=folder-or-archive" >&2; exit 2; }
	$(ENGINE_TESTS) --chart $(abspath $(CHART))
	@mkdir -p out && echo 'chart: {name: "$(abspath $(CHART))"}' > out/real-chart.yaml
	$(PYTHON) -m drill $(ARGS) --images out/real-chart.yaml

trial: ## Kill, freeze and cut off rehearsal brokers at random under load, ROUNDS=3 times; nothing may be lost
	$(BROKER) TRIAL_ROUNDS=$(ROUNDS) go test -count=1 -timeout 3h -v ./trial

contract: venv ## Check that a broker and gateway answer as Zeebe does; AT=file names real ones by address
	$(if $(AT),$(PYTEST) tests/contract/test_contract.py --at $(AT),$(CONTRACT_TESTS))

browser: venv $(AXE)/ready ## Check the report's page in a real browser with an accessibility checker; installs chromium by apt-get
	@command -v chromium >/dev/null || { apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium; }
	$(PYTEST) tests/browser --axe $(AXE)/axe_playwright_python/axe.min.js

broker: setup ## Tests of the rehearsal broker, in Go
	$(BROKER) go test ./...

# What mostly waits runs beside what computes: the drill beside the tests of the sandbox, which has a folder for each.
test: setup lint ## Everything: lint, types, unit, broker, contract, documents, engine, sandbox and a drill
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target broker contract docs
	@$(MAKE) --no-print-directory browser
	$(ENGINE_TESTS)
	$(PYTEST) -v -n 2 --dist loadfile --durations=12 tests/drill tests/sandbox
