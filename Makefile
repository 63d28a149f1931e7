# `make run` and `make test` need Swift and, on a fresh machine, apt. Everything else is installed by .ci/setup.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := run

sample := Benchmarks/Samples/minilm-layer0.safetensors
attend := .build/release/attend
# Tests see the drivers that .ci/setup has listed, and keep what they cache apart from the user's. Those of the self-test turn it on.
drivers := $(CURDIR)/.build/drivers
testing := OCL_ICD_VENDORS=$(drivers)/vendors RUSTICL_ENABLE=llvmpipe ATTEND_SELF_TEST=off \
    ATTEND_CACHE_DIR=$(CURDIR)/.build/test-cache POCL_CACHE_DIR=$(CURDIR)/.build/test-cache/pocl \
    ATTEND_MODEL=$(CURDIR)/.build/model
# One set of flags for everything that tests in release, so that nothing is built twice.
release := -c release -Xswiftc -enable-testing

.PHONY: run model test build-tests unit mutations conform verify consumer oclgrind gpu-check sanitize-address sanitize-thread bench docs format lint clean

## run: install what is missing, build, run attention on the sample and hold it to the reference
run:
	@.ci/setup run
	swift build -c release --product attend
	$(attend) run $(sample)
	$(attend) conform $(sample)

## model: a sentence model for `attend embed`, all-MiniLM-L6-v2 (Apache-2.0), in .build/model
model:
	@.ci/setup model
	@echo "make model: .build/model"

## test: every test, on every driver there is
test:
	@.ci/setup test
	@$(MAKE) --no-print-directory lint unit mutations conform verify gpu-check oclgrind consumer docs sanitize-address sanitize-thread
	@echo "make test: all passed on: $$(cd $(drivers)/vendors && ls *.icd | sed 's/\.icd//' | tr '\n' ' ')"
	@grep -a 'Test run with' .build/test.log | tail -n 1

build-tests:
	swift build $(release) --build-tests
	# As private as a cache of programs has to be.
	@mkdir -p -m 700 .build/test-cache && chmod 700 .build/test-cache && mkdir -p .build/test-cache/pocl

unit: build-tests
	$(testing) swift test $(release) --skip-build --skip OwnProcessTests --skip KernelMutationTests 2>&1 | tee .build/test.log
	# Waits for child processes, on threads that other tests would lack on a small machine.
	$(testing) swift test $(release) --skip-build --filter OwnProcessTests
	# Alone in their processes, as they look at the memory of all of it.
	for suite in AttentionTests.MemoryTests WorkerMemoryTests PassResidentMemoryTests; do \
	    $(testing) ATTEND_MEASURE_MEMORY=1 swift test $(release) --skip-build --filter $$suite || exit 1; \
	done

## mutations: wrong kernels, each of which a verification has to catch
mutations: build-tests
	$(testing) .ci/mutations

conform: build-tests
	$(testing) $(attend) conform --device all Tests/Conformance $(sample)

## verify: the whole contract on every device, with every kernel
verify: build-tests
	$(testing) .ci/verify $(attend)

## gpu-check: every GPU kernel by the vendors' offline compilers, and the page about what they made of it
gpu-check: build-tests
	@.ci/setup gpu
	.ci/gpu-check $(attend) Sources/Attention/Documentation.docc/GPUKernels.md

## oclgrind: small cases on a simulator that sees races, bad addresses and wrong calls
oclgrind: build-tests
	$(testing) .ci/oclgrind $(attend)

## consumer: a second package that depends on this one by URL and tag
consumer:
	$(testing) .ci/consumer

## sanitize-address, sanitize-thread: the tests under a sanitizer
sanitize-address sanitize-thread: sanitize-%:
	$(testing) .ci/sanitize $*

## docs: the documentation of Attention and Transformers, in .build/docs; a warning fails
docs:
	@mkdir -p .build/docs
	for target in Attention Transformers; do \
	    swift package --allow-writing-to-directory .build/docs generate-documentation --target $$target \
	        --warnings-as-errors --output-path .build/docs/$$target || exit 1; \
	done

## bench: the standard shapes beside PyTorch, ONNX Runtime and OpenVINO, then a sentence model beside the first two;
## BENCH= takes flags of Benchmarks/compare.py, EMBED= those of Benchmarks/embeddings.py
bench: model
	swift build -c release --product attend
	python3 Benchmarks/compare.py $(BENCH)
	python3 Benchmarks/embeddings.py $(EMBED)

format:
	swift format -i --configuration .swift-format -r Package.swift Sources Tests .ci/consumer-sources

lint:
	swift format lint --strict --configuration .swift-format -r Package.swift Sources Tests .ci/consumer-sources
	.ci/lint-kernels

clean:
	swift package clean
