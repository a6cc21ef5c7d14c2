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
CHART := charts/call-operator
API_PAGE := docs/api.md

# Tools that tests use, each pinned in a folder of its own. Of these only a release needs cosign.
TOOLS := $(filter-out cosign,$(notdir $(patsubst %/go.mod,%,$(wildcard tests/tools/*/go.mod))))

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
	@$(TOGETHER) build control-plane tools cargo-deny
	@$(MAKE) --no-print-directory lint
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-4} cargo test --tests $(LOCKED)

# The operator with the feature takes the place of the one without, so the latter is built again at the end.
.PHONY: test-otel
test-otel: ## Test the traces, which are a feature that is off by default
	@$(TOGETHER) build control-plane
	cargo clippy --features otel --test otel $(LOCKED) -- -D warnings
	cargo test --features otel --test otel $(LOCKED)
	@cargo build --bins --quiet $(LOCKED)

.PHONY: faults
faults: ## Replay every scenario with one fault at every request (half an hour; FAULTS_ONLY='retry: drop' some of it)
	@$(TOGETHER) build control-plane
	cargo test $(LOCKED) --test faults -- --ignored --nocapture --test-threads 1 every_scenario two_faults five_hundred

# ONLY names scenarios of bench/scenarios/; BENCH_OPERATOR another build of the operator, BENCH_FLAGS more flags for it.
# The operator is built by itself: together with an example it would get the features that only tests need.
.PHONY: bench
bench: ## Measure it on this machine (forty minutes; ONLY='idle burst' some of it, RUNS=1 once each)
	@$(TOGETHER) control-plane
	$(if $(BENCH_OPERATOR),,cargo build --release $(LOCKED) --bin call-operator)
	cargo build --release $(LOCKED) --example bench --example bench-dialer
	cargo bench $(LOCKED) --no-run --bench time --bench decide
	@cargo run --release $(LOCKED) --quiet --example bench -- --runs $(or $(RUNS),3) $(ONLY)

.PHONY: lint
lint: ## Check format, code and dependencies
	cargo fmt --check
	cargo clippy --all-targets $(LOCKED) -- -D warnings
	@$(MAKE) --no-print-directory deny

.PHONY: fmt
fmt: ## Format the code
	cargo fmt

.PHONY: generate
generate: crds api-page chart ## Write anew what is made from something else: crds/, docs/api.md, parts of the chart, deploy/

.PHONY: crds
crds:
	@for crd in $(CRDS); do \
		file="$(CRD_FOLDER)/$${crd#*:}.yaml"; \
		cargo run $(LOCKED) --quiet -- crd --kind "$${crd%:*}" >"$$file.new"; \
		mv "$$file.new" "$$file"; \
		echo "$$file"; \
	done

.PHONY: api-page
api-page:
	@cargo run $(LOCKED) --quiet --example api-reference >"$(API_PAGE).new"
	@mv "$(API_PAGE).new" "$(API_PAGE)"
	@echo "$(API_PAGE)"

# The chart has the CRDs among its files; deploy/ is the chart for people without Helm.
.PHONY: chart
chart: crds
	@cp crds/*.yaml $(CHART)/files/crds/
	@"$$(tests/tools/build.sh helm-docs)" --chart-search-root $(CHART) --template-files README.md.gotmpl \
		--sort-values-order file --log-level warning
	@echo "$(CHART)/README.md"
	@hack/render-deploy.sh >deploy/call-operator.yaml.new
	@mv deploy/call-operator.yaml.new deploy/call-operator.yaml
	@echo "deploy/call-operator.yaml"

# First the objects, from a real operator; then what is made of them and of the scripts.
.PHONY: gitops
gitops: ## Write anew what is generated of gitops/ and docs/gitops.md
	@$(TOGETHER) build control-plane
	UPDATE=1 cargo test $(LOCKED) --test gitops golden
	UPDATE=1 cargo test $(LOCKED) --test gitops written

.PHONY: check
check: lint ## Lint, and fail if crds/ or docs/api.md is not what `make generate` writes
	@fresh=$$(mktemp -d); \
	trap 'rm -rf "$$fresh"' EXIT; \
	mkdir "$$fresh/crds"; \
	$(MAKE) --no-print-directory crds api-page CRD_FOLDER="$$fresh/crds" API_PAGE="$$fresh/api.md" >/dev/null; \
	diff -ru crds "$$fresh/crds" && diff -u docs/api.md "$$fresh/api.md" || \
		{ echo "crds/ or docs/api.md is out of date: run \`make generate\`" >&2; exit 1; }; \
	echo "crds/ and docs/api.md are up to date"

.PHONY: build
build: ## Build the operator and the demo's programs
	cargo build --bins --examples $(LOCKED)

.PHONY: control-plane
control-plane: ## Build the Kubernetes API server that tests and demo run on (once, about 11 minutes)
	@tests/control-plane/build.sh >/dev/null

.PHONY: tools
tools: ## Build the tools that tests use: Helm and others (once, about 10 minutes)
	@tests/tools/build.sh $(TOOLS) >/dev/null

.PHONY: mutants
mutants: ## Break the operator on purpose and check that tests notice (ONLY=pure needs no API server; ONLY=<name>)
	@$(if $(filter pure,$(ONLY)),true,$(MAKE) --no-print-directory control-plane)
	@ONLY="$(ONLY)" hack/mutants.sh

.PHONY: deny
deny: ## Check licenses, sources and banned crates of the dependencies
	@program=$$(hack/cargo-tool.sh cargo-deny); \
	echo "cargo deny --all-features check bans licenses sources"; \
	"$$program" --all-features check bans licenses sources

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
