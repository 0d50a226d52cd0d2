# SPDX-License-Identifier: Apache-2.0
# Builds, trains, measures and checks. `make` by itself lists the targets.

LRA := .build/release/lra
# By themselves the compiler's flags depend on whether somebody looks, and other flags build all anew.
FLAGS := --no-color-diagnostics
SETUP := @sh data-scripts/setup
# The build's messages go to standard error, so that standard output holds results only.
BUILD := @swift build $(FLAGS) -c release --product lra 1>&2

# Tests run the optimised program: they use the package's own interfaces. By itself `swift test` asks for
# @testable, which none uses and which compiles every module otherwise than `swift build` does.
TEST := swift test $(FLAGS) -c release --disable-xctest --disable-testable-imports

# A value as one word for the shell, whatever is in it.
quote = '$(subst ','\'',$(1))'

# Variables that are set become flags, in the order task, model, preset, seed.
flag = $(if $($(1)),--$(2) $(call quote,$($(1))))
# A list of folders, separated by spaces.
folders = $(foreach folder,$(1),$(call quote,$(folder)))
CHOICE = $(call flag,TASK,task) $(call flag,MODEL,model) $(call flag,PRESET,preset) \
  $(call flag,SEED,seed)

# The tasks whose data others publish have a script that brings them into the data folder, and that
# does nothing when they are there. A folder named in ARGS is the user's own affair.
FETCHED := listops text retrieval image pathfinder pathx
FETCH = $(if $(findstring --data,$(ARGS)),,$(if $(filter $(FETCHED),$(TASK)),@sh data-scripts/$(call quote,$(TASK))))

# Sequences of the user's own are read where they lie.
OWN = $(if $(and $(filter sequences,$(TASK)),$(FROM)), $(call flag,FROM,data))

# The same for a grid of tasks, and its flags.
comma := ,
FETCH_ALL = $(if $(findstring --data,$(ARGS)),,@for task in $(filter $(FETCHED),$(subst $(comma), ,$(TASKS))); \
  do sh data-scripts/$$task || exit; done)
GRID = $(call flag,TASKS,tasks) $(call flag,MODELS,models) $(call flag,SEEDS,seeds) \
  $(call flag,PRESET,preset) $(call flag,LENGTHS,lengths) $(call flag,BUDGET,budget) \
  $(call flag,JOBS,jobs)

# Several processes of one host, which Open MPI starts.
LAUNCH = $(if $(RANKS),command -v mpirun >/dev/null || { \
  echo 'error: RANKS needs Open MPI: apt-get install openmpi-bin' >&2; exit 69; }; \
  mpirun -np $(call quote,$(RANKS)) )

# The processor to build for, a value of -march.
ifdef ARCH
export LRA_ARCH := $(ARCH)
endif

.DEFAULT_GOAL := help
.PHONY: help setup build install uninstall test test-checked test-avx2 test-fast kill-test test-cluster train evaluate inspect \
  leaderboard ladder report reproduce \
  compare top advise bench bench-peers data doctor fuzz format lint size clean

help: ## this list
	@echo "Usage: make TARGET [VARIABLE=value ...]"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) \
	  | awk -F'|' '{ printf "%-13s %s\n", $$1, $$2 }'
	@echo
	@echo "ARGS passes further flags on: make train TASK=listops MODEL=linformer ARGS=\"--steps 100\""
	@echo "FROM takes data that you have, an archive or a folder: make data TASK=text FROM=~/aclImdb"
	@echo "ARCH builds for another processor (a value of -march): make build ARCH=x86-64-v3"

setup: ## install what is missing to build (zlib1g-dev, libopenblas-dev)
	$(SETUP)

build: setup ## the program, .build/release/lra
	$(BUILD)

test: setup ## all tests
	@$(TEST) $(ARGS)

test-checked: setup ## the engine's operations with assertions: every vector against the memory lent out
	@LRA_ENGINE_ONLY=1 $(TEST) --scratch-path .build/checked -Xswiftc -assert-config -Xswiftc Debug \
	  --filter 'OpTests/(forward|accumulation|determinism)|WorkTests' $(ARGS)

test-avx2: setup ## the engine's operations in the build for AVX2, whose register tile has another shape
	@LRA_ENGINE_ONLY=1 LRA_ARCH=x86-64-v3 $(TEST) --scratch-path .build/avx2 \
	  --filter 'OpTests/(forward|gradient)|BFloat16Tests' $(ARGS)

test-fast: setup ## the tests of single modules, without those that start the program
	@$(TEST) --skip CommandTests $(ARGS)

kill-test: build ## kill trainings at random and at every system call, and go on with them: [ARGS="RANDOM STRIDE"]
	@data-scripts/kill-test $(LRA) $(ARGS)

test-cluster: build ## several ranks on two hosts in network namespaces, killed ranks, a Slurm of one node: [ARGS=KILLS]
	@data-scripts/test-cluster $(LRA) $(ARGS)

train: build ## train: TASK= MODEL= [PRESET= SEED= RANKS= ARGS= FROM=]
	$(FETCH)
	@$(LAUNCH)$(LRA) train $(CHOICE)$(OWN) $(ARGS)

evaluate: build ## evaluate a run: RUN=folder [ARGS="--split val"]
	@$(LRA) evaluate $(if $(RUN),$(call quote,$(RUN))) $(ARGS)

inspect: build ## attention against exact attention, and how far a model looks: RUN=folder [ARGS="--count 2000"]
	@$(LRA) inspect $(if $(RUN),$(call quote,$(RUN))) $(ARGS)

leaderboard: build ## a grid of trainings, and its report: [TASKS=a,b MODELS= SEEDS= PRESET= LENGTHS= BUDGET=4h JOBS= ARGS=]
	$(FETCH_ALL)
	@$(LRA) leaderboard $(GRID) $(ARGS)

report: build ## tables and a page of all runs: [RUNS="folder ..." ARGS="--output folder"]
	@$(LRA) report $(call folders,$(RUNS)) $(ARGS)

reproduce: build ## check the published figures, or train their runs again: [ARGS="--run NAME"]
	@$(LRA) reproduce $(ARGS)

compare: build ## compare runs: RUNS="folder folder ..." [ARGS=--evaluate]
	@$(LRA) compare $(call folders,$(RUNS)) $(ARGS)

PREFIX ?= /usr/local

install: build ## the program, its manual page and its completion for bash, zsh and fish: [PREFIX=/usr/local]
	@install -D $(LRA) "$(DESTDIR)$(PREFIX)/bin/lra"
	@for place in bash:bash-completion/completions/lra zsh:zsh/site-functions/_lra \
	  fish:fish/vendor_completions.d/lra.fish; do \
	  file="$(DESTDIR)$(PREFIX)/share/$${place#*:}"; \
	  mkdir -p "$$(dirname "$$file")" && \
	  $(LRA) --generate-completion-script $${place%%:*} >"$$file" || exit; \
	done
	@mkdir -p "$(DESTDIR)$(PREFIX)/share/man/man1"
	@$(LRA) help --man >"$(DESTDIR)$(PREFIX)/share/man/man1/lra.1"
	@echo "installed $(DESTDIR)$(PREFIX)/bin/lra, for processors as this one (ARCH= for others)"

uninstall: ## remove what install has put under PREFIX
	@rm -f "$(DESTDIR)$(PREFIX)/bin/lra" "$(DESTDIR)$(PREFIX)/share/man/man1/lra.1" \
	  "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/lra" \
	  "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_lra" \
	  "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/lra.fish"

top: build ## watch all runs of a folder: [RUNS=folder]
	@$(LRA) top $(if $(RUNS),$(call quote,$(RUNS))) $(ARGS)

ladder: build ## what methods make of a model: TASK= MODEL= [ARGS="--methods int8,distill --goal latency"]
	@$(LRA) ladder $(call flag,TASK,task) $(call flag,MODEL,model) $(call flag,PRESET,preset) $(ARGS)

advise: build ## which model to take, from your runs: TASK= [ARGS="--length 4096 --memory 4GiB --time 2h"]
	@$(LRA) advise $(call flag,TASK,task) $(ARGS)

bench: build ## time one training step: [MODEL=a,b ARGS="--length 1024,2048"]
	@$(LRA) bench $(call flag,MODEL,model) $(ARGS)

bench-peers: build ## compare with PyTorch: [MODEL=a,b ARGS="--shape wide --length 1024,2048"]
	@data-scripts/bench-peers $(call flag,MODEL,model) $(ARGS)

data: build ## make or fetch the data of a task: TASK= [SEED= ARGS= FROM=archive or folder]
	$(FETCH)
	@$(LRA) data make $(if $(TASK),$(call quote,$(TASK))) $(call flag,SEED,seed)$(OWN) $(ARGS)

doctor: build ## check the machine and measure its speed
	@$(LRA) doctor $(ARGS)

COUNT ?= 1000000

fuzz: setup ## feed broken files to every reader: [READER=a,b COUNT=1000000 ARGS="--seed 1"]
	@swift build $(FLAGS) -c release --product lra-fuzz 1>&2
	@.build/release/lra-fuzz $(call flag,READER,reader) --count $(COUNT) $(ARGS)

SOURCES := Plugins Sources Tasks Tests Package.swift

format: ## lay out all Swift files
	@swift format --in-place --recursive $(SOURCES)

lint: ## check the layout of all Swift files
	@swift format lint --strict --recursive $(SOURCES)

size: ## lines of Swift of each module
	@for folder in Tasks Sources/* Tests/*; do \
	  find $$folder -name '*.swift' -o -name '*.h' -o -name '*.c' | xargs cat 2>/dev/null \
	    | awk -v name=$$folder '{ all++ } !/^ *(\/\/|$$)/ { code++ } \
	      END { if (all) printf "%7d lines %7d of code  %s\n", all, code, name }'; \
	done

clean: ## remove the build; data and runs stay
	@swift package clean
