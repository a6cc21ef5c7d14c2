# Everything that developers and CI do. Needs Rust (rustup), Go, a C compiler and make; the rest is built on first use.

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# In CI, a Cargo.lock that does not fit is an error.
LOCKED := $(if $(CI),--locked)

# What is built on first use is built side by side: most of it waits for one linker or one download at a time.
TOGETHER := $(MAKE) --no-print-directory --jobs

# Each kind and the file of its CRD.
CRDS := ScheduledCall:scheduledcalls RecurringCall:recurringcalls Dialer:dialers BusinessCalendar:businesscalendars
CRD_FOLDER := crds
API_PAGE := docs/api.md

DEMO_FLAGS := $(if $(filter 1,$(KEEP)),--keep) $(if $(CLUSTER),--cluster $(CLUSTER))

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## See examples/ at work (KEEP=1 leaves it running, CLUSTER=current uses your own cluster)
	@$(TOGETHER) build $(if $(filter current,$(CLUSTER)),,control-plane)
	@cargo run $(LOCKED) --quiet --example demo -- $(DEMO_FLAGS)

# No documentation tests: the documentation has no code. Most tests wait for something most of the time, so four at once.
.PHONY: test
test: ## Run all checks and tests; the tests use a real Kubernetes API server
	@$(TOGETHER) build control-plane cargo-deny
	@$(MAKE) --no-print-directory lint
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-4} cargo test --tests $(LOCKED)

.PHONY: faults
faults: ## Replay every scenario with one fault at every request (half an hour; FAULTS_ONLY='retry: drop' some of it)
	@$(TOGETHER) build control-plane
	cargo test $(LOCKED) --test faults -- --ignored --nocapture --test-threads 1 every_scenario two_faults

.PHONY: lint
lint: ## Check format, code and dependencies
	cargo fmt --check
	cargo clippy --all-targets $(LOCKED) -- -D warnings
	@$(MAKE) --no-print-directory deny

.PHONY: fmt
fmt: ## Format the code
	cargo fmt

.PHONY: generate
generate: ## Write crds/ and docs/api.md anew
	@for crd in $(CRDS); do \
		file="$(CRD_FOLDER)/$${crd#*:}.yaml"; \
		cargo run $(LOCKED) --quiet -- crd --kind "$${crd%:*}" >"$$file.new"; \
		mv "$$file.new" "$$file"; \
		echo "$$file"; \
	done
	@cargo run $(LOCKED) --quiet --example api-reference >"$(API_PAGE).new"
	@mv "$(API_PAGE).new" "$(API_PAGE)"
	@echo "$(API_PAGE)"

.PHONY: check
check: lint ## Lint, and fail if crds/ or docs/api.md is not what `make generate` writes
	@fresh=$$(mktemp -d); \
	trap 'rm -rf "$$fresh"' EXIT; \
	mkdir "$$fresh/crds"; \
	$(MAKE) --no-print-directory generate CRD_FOLDER="$$fresh/crds" API_PAGE="$$fresh/api.md" >/dev/null; \
	diff -ru crds "$$fresh/crds" && diff -u docs/api.md "$$fresh/api.md" || \
		{ echo "crds/ or docs/api.md is out of date: run \`make generate\`" >&2; exit 1; }; \
	echo "crds/ and docs/api.md are up to date"

.PHONY: build
build: ## Build the operator and the demo's programs
	cargo build --bins --examples $(LOCKED)

.PHONY: control-plane
control-plane: ## Build the Kubernetes API server that tests and demo run on (once, about 11 minutes)
	@tests/control-plane/build.sh >/dev/null

.PHONY: mutants
mutants: ## Break the operator on purpose and check that tests notice (ONLY=pure needs no API server; ONLY=<name>)
	@$(if $(filter pure,$(ONLY)),true,$(MAKE) --no-print-directory control-plane)
	@ONLY="$(ONLY)" hack/mutants.sh

.PHONY: deny
deny: ## Check licenses, sources and banned crates of the dependencies
	@program=$$(hack/cargo-tool.sh cargo-deny); \
	echo "cargo deny check bans licenses sources"; \
	"$$program" check bans licenses sources

.PHONY: image
image: ## Build the container image (ARCH=arm64 for that processor); tells its name and size
	@hack/image.sh

.PHONY: test-image
test-image: ## Build the container image and its SBOM and run the tests that are about them
	@$(TOGETHER) build control-plane
	@image=$$(hack/image.sh) && sbom=$$(hack/sbom.sh) && \
		CALL_OPERATOR_IMAGE="$$image" CALL_OPERATOR_SBOM="$$sbom" cargo test $(LOCKED) --test image -- --ignored

.PHONY: sbom
sbom: ## Write the SBOM of the image's program (ARCH as above)
	@hack/sbom.sh

# The steps of .github/workflows/release.yaml; hack/release.sh says what each needs.
.PHONY: release-check release-images release-push release-chart release-sign release-publish
release-check release-images release-push release-chart release-sign release-publish:
	@hack/release.sh $(@:release-%=%)

.PHONY: cargo-deny
cargo-deny:
	@hack/cargo-tool.sh cargo-deny >/dev/null
