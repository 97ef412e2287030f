# depthq: one non-recursive Makefile. `make help` lists the tasks.
#
#   MODE=release|debug|asan|tsan   COMPILER=gcc|clang   TORCH=1|0   OIIO=1|0
#   V=1 shows the commands
#
# A folder is a library, a *_main.c is a program, a *_test.c beside the code
# is a cmocka suite, a *_fuzz.c is a fuzz target: adding a file needs no edit
# here. scripts/bootstrap writes build/config.mk (where the libraries are).

MODE     ?= release
COMPILER ?= gcc
TORCH    ?= 1
OIIO     ?= 1
PREFIX   ?= /usr/local
PYTHON   ?= python3
V        ?= 0

# What somebody asks for goes before what set-up found the last time.
ASKED_TORCH_DIR := $(TORCH_DIR)
-include build/config.mk

ifeq ($(wildcard build/config.mk),)
ifneq ($(filter-out help setup demo check bench bench-quality torture clean print-build print-deps,$(or $(MAKECMDGOALS),all)),)
$(error nothing is set up yet: run `make$(if $(filter 0,$(TORCH)), TORCH=0)$(if $(filter 0,$(OIIO)), OIIO=0) setup` first (make demo and make check do it themselves))
endif
endif

# Q hides a command, and says what is made instead.
Q   := $(if $(filter 0,$(V)),@)
say  = $(if $(filter 0,$(V)),@printf '  %-5s %s\n' $(1) $(2))

# ---- variant: every combination has a folder of its own -------------------
VARIANT := $(MODE)$(if $(filter clang,$(COMPILER)),-clang)$(if $(filter 0,$(TORCH)),-notorch)$(if $(filter 0,$(OIIO)),-nooiio)
B       := build/$(VARIANT)

ifeq ($(COMPILER),clang)
CC  := clang
CXX := clang++
else
CC  := gcc
CXX := g++
endif

# Flags that not every compiler knows are probed once and kept in a file.
PROBED_FLAGS := build/flags-$(COMPILER).mk
-include $(PROBED_FLAGS)

WARN   := -Wall -Wextra -Wconversion -Wformat=2 -Wimplicit-fallthrough -Wshadow -Werror
WARN_C := $(WARN) -Wstrict-prototypes -Wmissing-prototypes
HARDEN := -fstack-protector-strong -fPIC -fvisibility=hidden $(PROBED)

opt_release := -O2 -g -D_FORTIFY_SOURCE=3
opt_debug   := -Og -g3
opt_asan    := -O1 -g3 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
opt_tsan    := -O1 -g3 -fsanitize=thread
OPT := $(opt_$(MODE))
ifeq ($(OPT),)
$(error MODE is release, debug, asan or tsan, not '$(MODE)')
endif

VERSION := $(shell cat VERSION)
DEFS    := -D_GNU_SOURCE -DDQ_VERSION='"$(VERSION)"' -DDQ_TORCH=$(TORCH) -DDQ_OIIO=$(OIIO)
ifeq ($(TORCH),1)
TORCH_VERSION := $(shell sed -n '/define TORCH_VERSION /,/"/s/.*"\(.*\)".*/\1/p' $(TORCH_DIR)/include/torch/headeronly/version.h $(TORCH_DIR)/include/torch/csrc/api/include/torch/version.h 2>/dev/null)
DEFS    += -DDQ_TORCH_VERSION='"$(TORCH_VERSION)"'
endif
CPPFLAGS_ALL := -I. $(DEFS) $(EXR_CFLAGS) $(CPPFLAGS)
CFLAGS_ALL   := -std=c11 $(OPT) $(WARN_C) $(HARDEN) $(CFLAGS)
CXXFLAGS_ALL := $(OPT) $(HARDEN) -D_GLIBCXX_ASSERTIONS $(CXXFLAGS)
LDFLAGS_ALL  := $(OPT) -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed $(LDFLAGS)
LDFLAGS_PLUGIN := $(filter-out -pie,$(LDFLAGS_ALL)) -shared -Wl,--exclude-libs,ALL

# ---- libraries from outside ------------------------------------------------
LIBS_base  := -ljansson -lyaml -lcrypto -lm -lpthread
LIBS_uv    := -luv
LIBS_exr   := $(EXR_LIBS) -lstdc++ -lm -lpthread
LIBS_oiio  := $(if $(filter 1,$(OIIO)),$(OIIO_LIBS))
ifeq ($(TORCH),1)
LIBS_torch := -L$(TORCH_DIR)/lib -Wl,-rpath,$(TORCH_DIR)/lib -Wl,--no-as-needed -ltorch -ltorch_cpu -lc10 -Wl,--as-needed
endif

# ---- sources ---------------------------------------------------------------
FOLDERS := base io infer jobs daemon cli scene
not_lib  = %_main.c %_test.c %_fuzz.c
c_of     = $(filter-out $(not_lib),$(wildcard $(1)/*.c))
cc_torch := $(wildcard infer/torch_*.cc)
cc_oiio  := io/oiio_shim.cc
lib_objs  = $(patsubst %.c,$(B)/obj/%.o,$(call c_of,$(1)))
lib       = $(B)/lib/libdq_$(1).a

# Link order: a folder, then the folders it may use.
deps_base   := base
deps_io     := io base
deps_scene  := scene io base
deps_infer  := infer io base
deps_jobs   := jobs base
deps_daemon := daemon infer jobs io base
deps_cli    := cli daemon infer jobs io base
libs_base   := $(LIBS_base)
libs_io     := $(LIBS_exr) $(LIBS_base)
libs_scene  := $(libs_io)
libs_infer  := $(libs_io)
libs_jobs   := -lsqlite3 $(LIBS_base)
libs_daemon := $(LIBS_uv) -lsqlite3 -lmicrohttpd $(libs_infer)
libs_cli    := $(libs_daemon) -lcurl

libs_for = $(foreach d,$(deps_$(1)),$(call lib,$(d)))

# ---- programs --------------------------------------------------------------
BIN     := $(B)/bin
LIBEXEC := $(B)/libexec/depthq
# program: folder of its main, the archives and libraries it may link
PROGRAMS := $(BIN)/depthq $(BIN)/depthqd $(LIBEXEC)/depthq-worker $(LIBEXEC)/depthq-inspect \
            $(LIBEXEC)/depthq-preview $(LIBEXEC)/depthq-client $(LIBEXEC)/depthq-models \
            $(LIBEXEC)/depthq-model-check $(LIBEXEC)/depthq-stale $(LIBEXEC)/depthq-history \
            $(LIBEXEC)/depthq-pull $(LIBEXEC)/depthq-compare $(LIBEXEC)/depthq-doctor \
            $(BIN)/depthq-scene
main_depthq         := cli/depthq_main.c
main_depthqd        := daemon/depthqd_main.c
main_depthq-worker  := daemon/worker_main.c
main_depthq-inspect := cli/inspect_main.c
main_depthq-preview := cli/preview_main.c
main_depthq-client  := cli/client_main.c
main_depthq-models  := cli/models_main.c
main_depthq-model-check := cli/models_check_main.c
main_depthq-stale   := cli/stale_main.c
main_depthq-history := cli/history_main.c
main_depthq-pull    := cli/pull_main.c
main_depthq-compare := cli/compare_main.c
main_depthq-doctor  := cli/doctor_main.c
main_depthq-scene   := scene/scene_main.c

TESTS   := $(patsubst %.c,$(B)/test/%,$(foreach f,$(FOLDERS),$(wildcard $(f)/*_test.c)))
FUZZERS := $(patsubst %.c,$(B)/fuzz/%,$(foreach f,$(FOLDERS),$(wildcard $(f)/*_fuzz.c)))

.DEFAULT_GOAL := all
.PHONY: all programs libs
.SECONDARY:

all: programs ## build the programs
programs: $(PROGRAMS) $(PLUGINS)
libs: $(foreach f,$(FOLDERS),$(call lib,$(f)))

$(PROBED_FLAGS): Makefile
	@mkdir -p $(@D)
	@printf 'PROBED :=' >$@; \
	for f in -fstack-clash-protection -fcf-protection=full -ftrivial-auto-var-init=zero -fstrict-flex-arrays=3 -Wtrampolines; do \
	  echo 'int x;' | $(CC) -Werror $$f -x c -c -o /dev/null - 2>/dev/null && printf ' %s' $$f >>$@; done; echo >>$@

$(B)/obj/%.o: %.c $(PROBED_FLAGS)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Pictures made by formula ask errno nothing: square roots stay one instruction.
$(B)/obj/scene/%.o: CFLAGS_ALL += -fno-math-errno -fno-trapping-math

$(B)/obj/infer/torch_%.o: infer/torch_%.cc $(PROBED_FLAGS)
	@mkdir -p $(@D)
	$(call say,CXX,$<)
	$(Q)$(CXX) -std=c++20 -I. $(DEFS) -isystem $(TORCH_DIR)/include -isystem $(TORCH_DIR)/include/torch/csrc/api/include $(CXXFLAGS_ALL) -Wall -Wextra -Werror -MMD -MP -c -o $@ $<

$(B)/obj/io/oiio_shim.o: io/oiio_shim.cc $(PROBED_FLAGS)
	@mkdir -p $(@D)
	$(call say,CXX,$<)
	$(Q)$(CXX) -std=c++17 -I. $(DEFS) $(OIIO_CFLAGS) $(CXXFLAGS_ALL) -Wall -Wextra -Werror -MMD -MP -c -o $@ $<

# The store has its schema compiled in (.incbin, which no .d file tells).
$(B)/obj/jobs/store_schema.o: $(wildcard schemas/*.sql)

define lib_rule
$(call lib,$(1)): $(call lib_objs,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	$(Q)ar rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call lib_rule,$(f))))

# The command starts in milliseconds: it links no pixels, no network, no torch.
deps_depthq := cli daemon jobs base
libs_depthq := $(LIBS_uv) $(LIBS_base)
# The daemon alone opens the database and listens.
deps_depthqd := daemon jobs base
libs_depthqd := $(LIBS_uv) -lsqlite3 -lmicrohttpd $(LIBS_base)
deps_depthq-worker  := daemon infer jobs io base
libs_depthq-worker  := $(LIBS_uv) $(libs_infer)
deps_depthq-inspect := cli io base
libs_depthq-inspect := $(libs_io)
deps_depthq-preview := cli jobs io base
libs_depthq-preview := $(libs_io)
# What asks the daemon: libcurl, and nothing of what works. (depthq-models and
# depthq-pull ask it, too.)
deps_depthq-client  := cli jobs base
libs_depthq-client  := -lcurl $(LIBS_base)
# Asks the daemon, and reads the database when none has it open.
deps_depthq-doctor  := cli daemon jobs base
libs_depthq-doctor  := $(LIBS_uv) -lcurl -lsqlite3 $(LIBS_base)
deps_depthq-models  := cli infer jobs io base
libs_depthq-models  := -lcurl $(libs_io)
deps_depthq-model-check := infer io base
libs_depthq-model-check := $(libs_io)
deps_depthq-stale   := cli daemon infer jobs io base
libs_depthq-stale   := $(LIBS_uv) $(libs_io)
deps_depthq-history := $(deps_depthq-stale)
libs_depthq-history := $(libs_depthq-stale)
deps_depthq-pull    := $(deps_depthq-stale)
libs_depthq-pull    := -lcurl $(libs_depthq-stale)
deps_depthq-compare := $(deps_depthq-stale)
libs_depthq-compare := $(libs_depthq-stale)
deps_depthq-scene   := scene io base
libs_depthq-scene   := $(libs_scene)

# A build is laid out as an installation is: programs find the models there.
MODELS := $(B)/share/depthq/models
$(MODELS):
	@mkdir -p $(@D)
	@ln -sfn ../../../../models $@

# Heavy libraries lie behind plugins (base/plugin.h), loaded when needed.
PLUGINS := $(if $(filter 1,$(TORCH)),$(LIBEXEC)/libdq_torch.so) \
           $(if $(filter 1,$(OIIO)),$(LIBEXEC)/libdq_oiio.so)
plugin_objs = $(patsubst %.cc,$(B)/obj/%.o,$(cc_$(1)))
plugin_deps_torch := infer base
plugin_deps_oiio  := io base
define plugin_rule
$(LIBEXEC)/libdq_$(1).so: $(call plugin_objs,$(1)) $(foreach d,$(plugin_deps_$(1)),$(call lib,$(d)))
	@mkdir -p $$(@D)
	$(call say,LINK,$$@)
	$(Q)$(CXX) $(LDFLAGS_PLUGIN) -o $$@ $$^ $(LIBS_$(1)) $(LIBS_base)
endef
$(foreach p,torch oiio,$(eval $(call plugin_rule,$(p))))

define program_rule
$(1): $(patsubst %.c,$(B)/obj/%.o,$(main_$(notdir $(1)))) $(call libs_for,$(notdir $(1))) | $(MODELS) $(PLUGINS)
	@mkdir -p $$(@D)
	$(call say,LINK,$$@)
	$(Q)$(CXX) $(LDFLAGS_ALL) -o $$@ $$< $(call libs_for,$(notdir $(1))) $(libs_$(notdir $(1)))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rule,$(p))))

define test_rule
$(B)/test/$(1)/%_test: $(B)/obj/$(1)/%_test.o $(call libs_for,$(1)) | $(PLUGINS)
	@mkdir -p $$(@D)
	$(call say,LINK,$$@)
	$(Q)$(CXX) $(LDFLAGS_ALL) -o $$@ $$< $(call libs_for,$(1)) $(libs_$(1)) -lcmocka
endef
$(foreach f,$(FOLDERS),$(eval $(call test_rule,$(f))))

# tests/tools/x.c: a small program over io and base that the oracle tests call
TOOLS := $(patsubst tests/tools/%.c,$(B)/tools/%,$(wildcard tests/tools/*.c))
$(B)/tools/%: $(B)/obj/tests/tools/%.o $(call libs_for,io)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CXX) $(LDFLAGS_ALL) -o $@ $< $(call libs_for,io) $(libs_io)

# scripts/generate: pages and schemas made from the tables of jobs/
$(B)/tools/generate_docs: $(B)/obj/tests/tools/generate_docs.o $(call libs_for,jobs)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CXX) $(LDFLAGS_ALL) -o $@ $< $(call libs_for,jobs) $(libs_jobs)

# What stands in for depthq-worker in tests of those who start workers.
$(B)/tools/fake_worker: $(B)/obj/tests/tools/fake_worker.o $(call libs_for,depthq)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CXX) $(LDFLAGS_ALL) -o $@ $< $(call libs_for,depthq) $(libs_depthq)
$(B)/test/daemon/supervise_test: | $(B)/tools/fake_worker

# tests/preload/x.c: what LD_PRELOAD puts between a program and its system.
PRELOADS := $(patsubst tests/preload/%.c,$(B)/tools/%.so,$(wildcard tests/preload/*.c))
$(B)/tools/%.so: tests/preload/%.c $(PROBED_FLAGS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(DEFS) -std=c11 -O2 -g $(WARN_C) -fPIC -shared -o $@ $< -ldl

# tests/runtime/x.cc: libraries of others that networks want (infer/runtime.h).
RUNTIMES := $(if $(filter 1,$(TORCH)),$(patsubst tests/runtime/%.cc,$(B)/tools/%.so,$(wildcard tests/runtime/*.cc)))
$(B)/tools/%.so: tests/runtime/%.cc $(PROBED_FLAGS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CXX) -std=c++20 -isystem $(TORCH_DIR)/include -O1 -Wall -Wextra -Werror -fPIC -c -o $(@:.so=.o) $<
	$(Q)$(CXX) -shared -o $@ $(@:.so=.o) $(LIBS_torch)

# Tools that run networks link what the worker links. net_run: one network
# on raw floats, against other ways to run it.
NET_TOOLS := $(filter $(B)/tools/net_% $(B)/tools/align_%,$(TOOLS))
$(NET_TOOLS): $(B)/tools/%: $(B)/obj/tests/tools/%.o $(call libs_for,depthq-worker)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CXX) $(LDFLAGS_ALL) -o $@ $< $(call libs_for,depthq-worker) $(libs_depthq-worker)

# Fuzz targets: replayed over their committed corpora as ordinary tests, or
# driven by libFuzzer (make fuzz, clang).
define fuzz_rule
$(B)/fuzz/$(1)/%_fuzz: $(B)/obj/$(1)/%_fuzz.o $(B)/obj/tests/fuzz/replay.o $(call libs_for,$(1))
	@mkdir -p $$(@D)
	$(call say,LINK,$$@)
	$(Q)$(CXX) $(LDFLAGS_ALL) -o $$@ $$(filter %.o,$$^) $(call libs_for,$(1)) $(libs_$(1))
endef
$(foreach f,$(FOLDERS),$(eval $(call fuzz_rule,$(f))))

.PHONY: print-build print-deps
print-deps:
	@echo $(deps_$(FOLDER))
print-build:
	@echo $(B)

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# ---- tasks -----------------------------------------------------------------
.PHONY: help setup demo check check-built unit tests tools format lint asan-check \
        tsan-check lean-check generated-check fuzz bench bench-built coverage compile-commands clean install man

help: ## list the tasks
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-17s %s\n",$$1,$$2}' $(MAKEFILE_LIST)

setup: ## install and build what the project needs (demo and check do it too)
	@TORCH=$(TORCH) OIIO=$(OIIO) TORCH_DIR='$(ASKED_TORCH_DIR)' scripts/bootstrap

# The config that set-up writes is read when make starts: hence a second make.
demo: setup ## render plates, turn them into depth, draw a contact sheet
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@scripts/demo $(abspath $(B))

check: setup ## run every test of this variant
	@$(MAKE) --no-print-directory -j$$(nproc) check-built

tests: all man tools $(TESTS) $(FUZZERS)
tools: $(TOOLS) $(PRELOADS) $(RUNTIMES)
check-built: tests
	@scripts/check $(abspath $(B))

unit: $(TESTS) ## build and run the unit tests of this variant
	@scripts/run_tests $(TESTS)

# Stories of one machine, in which programs meet what is damaged and strange.
STRANGE := plates outputs models validate inspect preview

asan-check: ## unit tests, corpora and some stories under ASan and UBSan
	@$(MAKE) --no-print-directory -j$$(nproc) MODE=asan TORCH=0 SUITES="unit fuzz stories" STORIES="$(STRANGE)" check-some

tsan-check: ## unit tests under TSan (fake networks only)
	@$(MAKE) --no-print-directory -j$$(nproc) MODE=tsan TORCH=0 OIIO=0 SUITES="unit fuzz" check-some

lean-check: ## unit tests, corpora and some stories of clang's build without libtorch and OpenImageIO
	@$(MAKE) --no-print-directory -j$$(nproc) MODE=debug COMPILER=clang TORCH=0 OIIO=0 SUITES="unit fuzz stories" STORIES="outputs validate inspect preview colour" check-some

.PHONY: check-some
check-some: programs $(TESTS) $(FUZZERS)
	@SUITES="$(SUITES)" STORIES="$(STORIES)" scripts/check $(abspath $(B))

format: ## format all C and C++ sources
	clang-format -i $$(git ls-files '*.c' '*.h' '*.cc')

lint: ## formatting, include rules, headers, clang-tidy, cppcheck, shellcheck
	@scripts/lint

generated-check: ## regenerate what is made from tables, and compare
	@scripts/generate --check

.PHONY: torture
torture: setup ## 1,000 SIGKILLs over 10,000 frames, and every kill point (TORTURE="--seed 7")
	@$(MAKE) --no-print-directory -j$$(nproc) all tools
	@$(PYTHON) tests/fault/torture.py $(abspath $(B)) --kills 1000 --frames 10000 $(TORTURE)
	@DEPTHQ_BUILD=$(abspath $(B)) DEPTHQ_KILL_POINTS=all $(PYTHON) tests/oracle/kill_points_test.py

fuzz: ## run libFuzzer on every target for a minute each (clang)
	@scripts/fuzz

bench: setup ## speed and memory as ratios in one run (BENCH="--quick --only exr")
	@$(MAKE) --no-print-directory -j$$(nproc) all tools
	@$(PYTHON) tests/bench/run.py $(abspath $(B)) $(BENCH)

.PHONY: bench-quality
bench-quality: setup ## depth against exact truth and baselines (FORM=quick|usual|full)
	@$(MAKE) --no-print-directory -j$$(nproc) all tools
	@$(PYTHON) -W ignore tests/bench/quality.py $(abspath $(B)) --form $(or $(FORM),usual)

coverage: ## unit tests with line coverage, as build/coverage/index.html
	@$(MAKE) --no-print-directory -j$$(nproc) MODE=debug TORCH=0 B=build/coverage/obj \
	  CFLAGS=--coverage LDFLAGS=--coverage unit
	@gcovr -r . --object-directory build/coverage/obj -e '.*_test\.c' --html-details build/coverage/index.html
	@echo build/coverage/index.html

compile-commands: ## write compile_commands.json for editors and clang-tidy
	@scripts/compile_commands $(B) '$(subst ','\'',$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL))'

# Made from what the programs say of themselves.
MAN := $(B)/share/man
man: $(MAN)/made ## make the manual pages, as build/<variant>/share/man
$(MAN)/made: scripts/man VERSION docs/job-file.md $(PROGRAMS)
	$(call say,MAN,$(MAN))
	$(Q)rm -rf $(MAN) && scripts/man $(B) $(MAN) && touch $@

install: all man ## copy programs, models and pages to DESTDIR/PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/depthq $(DESTDIR)$(PREFIX)/share/depthq/models $(DESTDIR)$(PREFIX)/share/depthq/schemas
	install -m 755 $(filter $(BIN)/%,$(PROGRAMS)) $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(filter $(LIBEXEC)/%,$(PROGRAMS)) $(PLUGINS) $(DESTDIR)$(PREFIX)/libexec/depthq
	$(if $(wildcard models/*),install -m 644 $(wildcard models/*) $(DESTDIR)$(PREFIX)/share/depthq/models)
	install -m 644 schemas/* $(DESTDIR)$(PREFIX)/share/depthq/schemas
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/share/doc/depthq
	for unit in daemon/*.service.in daemon/*.timer.in; do \
	  sed 's|@PREFIX@|$(PREFIX)|g' $$unit >$(DESTDIR)$(PREFIX)/lib/systemd/system/$$(basename $$unit .in) || exit; done
	install -m 644 docs/*.md $(DESTDIR)$(PREFIX)/share/doc/depthq
	for page in $(MAN)/man*/*; do \
	  folder=$(DESTDIR)$(PREFIX)/share/man/$$(basename $$(dirname $$page)); \
	  install -d $$folder && install -m 644 $$page $$folder || exit; done
	for shell in bash:bash-completion/completions/depthq zsh:zsh/site-functions/_depthq \
	    fish:fish/vendor_completions.d/depthq.fish; do \
	  file=$(DESTDIR)$(PREFIX)/share/$${shell#*:}; \
	  install -d $$(dirname $$file) && $(BIN)/depthq completion $${shell%%:*} >$$file || exit; done

clean: ## remove this variant's build (not the libraries that set-up built)
	rm -rf $(B)
