# depthq: one non-recursive Makefile. `make help` lists the tasks.
#
#   MODE=release|debug|asan|tsan   COMPILER=gcc|clang   TORCH=1|0   OIIO=1|0
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

-include build/config.mk

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
HARDEN := -fstack-protector-strong -fPIE $(PROBED)

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
CPPFLAGS_ALL := -I. $(DEFS) $(EXR_CFLAGS) $(CPPFLAGS)
CFLAGS_ALL   := -std=c11 $(OPT) $(WARN_C) $(HARDEN) $(CFLAGS)
CXXFLAGS_ALL := $(OPT) $(HARDEN) -D_GLIBCXX_ASSERTIONS -fvisibility=hidden $(CXXFLAGS)
LDFLAGS_ALL  := $(OPT) -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed $(LDFLAGS)

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
shim_torch := $(if $(filter 1,$(TORCH)),infer/torch_shim.cc)
shim_oiio  := $(if $(filter 1,$(OIIO)),io/oiio_shim.cc)
cc_infer   := $(wildcard $(shim_torch))
cc_io      := $(wildcard $(shim_oiio))
lib_objs  = $(patsubst %.c,$(B)/obj/%.o,$(call c_of,$(1))) $(patsubst %.cc,$(B)/obj/%.o,$(cc_$(1)))
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
libs_io     := $(LIBS_oiio) $(LIBS_exr) $(LIBS_base)
libs_scene  := $(libs_io)
libs_infer  := $(LIBS_torch) $(libs_io)
libs_jobs   := $(LIBS_base)
libs_daemon := $(LIBS_uv) $(libs_infer)
libs_cli    := $(libs_daemon)

libs_for = $(foreach d,$(deps_$(1)),$(call lib,$(d)))

# ---- programs --------------------------------------------------------------
BIN     := $(B)/bin
LIBEXEC := $(B)/libexec/depthq
# program: folder of its main, the archives and libraries it may link
PROGRAMS := $(BIN)/depthq $(LIBEXEC)/depthq-worker $(LIBEXEC)/depthq-inspect \
            $(LIBEXEC)/depthq-preview $(BIN)/depthq-scene
PROGRAMS_FOUND := $(foreach p,$(PROGRAMS),$(if $(wildcard $(main_$(notdir $(p)))),$(p)))
main_depthq         := cli/depthq_main.c
main_depthq-worker  := daemon/worker_main.c
main_depthq-inspect := cli/inspect_main.c
main_depthq-preview := cli/preview_main.c
main_depthq-scene   := scene/scene_main.c
PROGRAMS_FOUND := $(foreach p,$(PROGRAMS),$(if $(wildcard $(main_$(notdir $(p)))),$(p)))

TESTS   := $(patsubst %.c,$(B)/test/%,$(foreach f,$(FOLDERS),$(wildcard $(f)/*_test.c)))
FUZZERS := $(patsubst %.c,$(B)/fuzz/%,$(foreach f,$(FOLDERS),$(wildcard $(f)/*_fuzz.c)))

.DEFAULT_GOAL := all
.PHONY: all programs libs
.SECONDARY:

all: programs ## build the programs
programs: $(PROGRAMS_FOUND)
libs: $(foreach f,$(FOLDERS),$(call lib,$(f)))

$(PROBED_FLAGS): Makefile
	@mkdir -p $(@D)
	@printf 'PROBED :=' >$@; \
	for f in -fstack-clash-protection -fcf-protection=full -ftrivial-auto-var-init=zero -fstrict-flex-arrays=3 -Wtrampolines; do \
	  echo 'int x;' | $(CC) -Werror $$f -x c -c -o /dev/null - 2>/dev/null && printf ' %s' $$f >>$@; done; echo >>$@

$(B)/obj/%.o: %.c $(PROBED_FLAGS)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(B)/obj/infer/torch_shim.o: infer/torch_shim.cc $(PROBED_FLAGS)
	@mkdir -p $(@D)
	$(CXX) -std=c++20 -I. $(DEFS) -isystem $(TORCH_DIR)/include -isystem $(TORCH_DIR)/include/torch/csrc/api/include $(CXXFLAGS_ALL) -Wall -Wextra -Werror -MMD -MP -c -o $@ $<

$(B)/obj/io/oiio_shim.o: io/oiio_shim.cc $(PROBED_FLAGS)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -I. $(DEFS) $(OIIO_CFLAGS) $(CXXFLAGS_ALL) -Wall -Wextra -Werror -MMD -MP -c -o $@ $<

define lib_rule
$(call lib,$(1)): $(call lib_objs,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call lib_rule,$(f))))

# The command starts in milliseconds: it links no pixels, no network, no torch.
deps_depthq := cli daemon jobs base
libs_depthq := $(LIBS_uv) $(LIBS_base)
deps_depthq-worker  := daemon infer jobs io base
libs_depthq-worker  := $(LIBS_uv) $(libs_infer)
deps_depthq-inspect := cli io base
libs_depthq-inspect := $(libs_io)
deps_depthq-preview := cli jobs io base
libs_depthq-preview := $(libs_io)
deps_depthq-scene   := scene io base
libs_depthq-scene   := $(libs_scene)

# A build is laid out as an installation is: programs find the models there.
MODELS := $(B)/share/depthq/models
$(MODELS):
	@mkdir -p $(@D)
	@ln -sfn ../../../../models $@

define program_rule
$(1): $(patsubst %.c,$(B)/obj/%.o,$(main_$(notdir $(1)))) $(call libs_for,$(notdir $(1))) | $(MODELS)
	@mkdir -p $$(@D)
	$(CXX) $(LDFLAGS_ALL) -o $$@ $$< $(call libs_for,$(notdir $(1))) $(libs_$(notdir $(1)))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rule,$(p))))

define test_rule
$(B)/test/$(1)/%_test: $(B)/obj/$(1)/%_test.o $(call libs_for,$(1))
	@mkdir -p $$(@D)
	$(CXX) $(LDFLAGS_ALL) -o $$@ $$< $(call libs_for,$(1)) $(libs_$(1)) -lcmocka
endef
$(foreach f,$(FOLDERS),$(eval $(call test_rule,$(f))))

# tests/tools/x.c: a small program over io and base that the oracle tests call
TOOLS := $(patsubst tests/tools/%.c,$(B)/tools/%,$(wildcard tests/tools/*.c))
$(B)/tools/%: $(B)/obj/tests/tools/%.o $(call libs_for,io)
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS_ALL) -o $@ $< $(call libs_for,io) $(libs_io)

# scripts/generate: pages and schemas made from the tables of jobs/
$(B)/tools/generate_docs: $(B)/obj/tests/tools/generate_docs.o $(call libs_for,jobs)
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS_ALL) -o $@ $< $(call libs_for,jobs) $(libs_jobs)

# What stands in for depthq-worker in tests of those who start workers.
$(B)/tools/fake_worker: $(B)/obj/tests/tools/fake_worker.o $(call libs_for,depthq)
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS_ALL) -o $@ $< $(call libs_for,depthq) $(libs_depthq)
$(B)/test/daemon/supervise_test: | $(B)/tools/fake_worker

.PHONY: print-build
print-build:
	@echo $(B)

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# ---- tasks -----------------------------------------------------------------
.PHONY: tools help setup demo check test unit format lint bench clean install

help: ## list the tasks
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n",$$1,$$2}' $(MAKEFILE_LIST)

tools: $(TOOLS)
unit-programs: $(TESTS)
unit: $(TESTS) ## build and run the unit tests of this variant
	@scripts/run_tests $(TESTS)

format: ## format all C and C++ sources
	clang-format -i $$(git ls-files '*.c' '*.h' '*.cc')

clean: ## remove this variant's build (not the libraries that set-up built)
	rm -rf $(B)
