# Two commands do everything: `make demo` shows the main job, `make test` proves it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CHART := charts/cube-operator
export PATH := $(CURDIR)/target/tools/bin:$(PATH)

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Show the main job, on a control plane of its own. KEEP=1 keeps it running, CLUSTER=current uses the cluster of the kubeconfig, RECORD=docs/demo.md writes the transcript.
	@[ -x target/debug/cube-operator ] || echo "The first run takes about 3 minutes, or 10 where Kubernetes has to be built."
	@tests/tools/build.sh --ready-made helm kubectl venv $(if $(filter current,$(CLUSTER)),,etcd kube-apiserver)
	cargo build --locked
	@python3 tests/demo.py

# `cargo build` leaves out the features that dev-dependencies add to tokio and kube, and so would compile more than 20 crates
# again. This compiles the operator with the dependencies of the tests.
.PHONY: demo-check
demo-check: ## Check that docs/demo.md is current, that the commands to go on with work, and that the demo leaves nothing behind.
	tests/tools/build.sh helm kubectl etcd venv kube-apiserver kube-controller-manager
	cargo test --locked --no-run --test purity
	python3 tests/demo/check.py

# The programs are compiled with the dependencies of the tests, for the same reason.
.PHONY: browser
browser: ## Sign in with a real browser and a real terminal, at two providers. TEST=wrong_password runs one of the tests.
	tests/tools/build.sh helm kubectl etcd venv kube-apiserver kube-controller-manager chromium browser oidc-provider
	cargo test --locked --no-run --test purity
	cd tests && PYTHONDONTWRITEBYTECODE=1 ../target/tools/browser/bin/python -m browser $(if $(TEST),-k $(TEST))

.PHONY: servers
servers: ## Get tokens of Keycloak and of oidc-provider, in each way to authenticate a client. It needs Java 17 and Maven. TEST=certificate runs some of the tests.
	tests/tools/build.sh helm kubectl etcd venv kube-apiserver kube-controller-manager oidc-provider keycloak
	cargo test --locked --no-run --test purity
	cd tests && PYTHONDONTWRITEBYTECODE=1 python3 -m servers $(if $(TEST),-k $(TEST))

# Debian has the container runtime: apt-get install containerd runc containernetworking-plugins iproute2.
NODE_TOOLS := helm kubectl etcd venv kube-apiserver kube-controller-manager kube-scheduler kubelet consumer

.PHONY: node
node: ## Run the operator as a pod on a real node, with the image of the Dockerfile. It needs root. IMAGE=debug is quicker, TEST=upgrade runs one of the tests.
	tests/tools/build.sh $(NODE_TOOLS)
	$(if $(filter debug,$(IMAGE)),cargo test --locked --no-run --test purity)
	cd tests && PYTHONDONTWRITEBYTECODE=1 IMAGE=$(IMAGE) python3 -m node $(if $(TEST),-k $(TEST))

.PHONY: node-check
node-check: ## Check that the node leaves nothing on this machine, however it ends. It needs root.
	tests/tools/build.sh $(NODE_TOOLS)
	cargo test --locked --no-run --test purity
	python3 tests/node/check.py

.PHONY: test
test: ## Run all checks and tests.
	@./tests/run.sh

.PHONY: tools
tools: ## Build the control plane, helm, Prometheus and the token server into target/tools.
	@tests/tools/build.sh

.PHONY: tools-check
tools-check: ## Check which tools the demo takes: installed, published or built ones.
	python3 tests/tools/check.py

.PHONY: lint
lint: ## Check format and lints of the Rust code, the scripts, the workflows and the Dockerfile, and that versions agree.
	tests/tools/build.sh linters actionlint
	target/tools/linters/bin/shellcheck .ci/run $$(find tests -name '*.sh')
	target/tools/linters/bin/hadolint Dockerfile
	actionlint -shellcheck target/tools/linters/bin/shellcheck
	python3 tests/release/agreement.py
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings

.PHONY: dependencies
dependencies: ## Check licences, sources and bans of the dependencies. ADVISORIES=1 adds known vulnerabilities.
	tests/tools/build.sh cargo-deny
	cargo-deny --locked check bans licenses sources $(if $(filter 1,$(ADVISORIES)),advisories)

.PHONY: unused
unused: ## Look for dependencies that nothing uses.
	tests/tools/build.sh cargo-machete
	cargo-machete

.PHONY: unit
unit: ## Run the tests that need no cluster.
	cargo test --locked --lib --bins --test purity --test definition --test exchange --test fuzz --test bench --test pages

.PHONY: cluster
cluster: tools ## Run the tests against a real API server and a real token server.
	cargo test --locked --test cluster -- --test-threads $(CLUSTER_THREADS)

# The tests mostly wait for the clock or the API server, so twice as many as two processors run at a time.
CLUSTER_THREADS ?= 4

.PHONY: chart
chart: tools ## Lint and test the chart, and validate what it renders on a real API server.
	tests/chart/check.sh

.PHONY: simulate
simulate: ## Simulate random histories of a stored refresh token. N=1000000 sets the number, SEED=7 replays one of them.
	SIMULATE=$(N) cargo test --locked --config profile.dev.package.cube-operator.opt-level=2 --test simulation -- --nocapture

N ?= 10000

.PHONY: figures
figures: ## Print figures of the source: circular imports, their directions, sizes, sentences.
	python3 tests/figures.py

.PHONY: fuzz
fuzz: ## Fuzz the input of others with libFuzzer. TARGET=answer and SECONDS_EACH=300 limit it.
	tests/fuzz/run.sh

.PHONY: chaos
chaos: tools ## Kill the operator at 200 random moments around a refresh, and count the lost tokens.
	cargo test --locked --test cluster -- --ignored --nocapture --test-threads 1 chaos

.PHONY: docs
docs: ## Build the API documentation.
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items

.PHONY: crd
crd: ## Generate the CRDs from the Rust types, for crds/ and for the chart.
	cargo run --quiet -- crd > target/crd.yaml
	mkdir -p crds $(CHART)/files
	awk 'BEGIN { split("cubecredentials cubeproviders clustercubeproviders", name, " "); n = 1 } \
		/^---$$/ { n++; next } { print > "crds/" name[n] ".yaml" }' target/crd.yaml
	cp crds/*.yaml $(CHART)/files

.PHONY: reference
reference: ## Write the pages below docs/reference from their sources: the CRD, reasons, events, metrics, flags, values.
	WRITE_REFERENCE=1 cargo test --locked --test definition reference

.PHONY: troubleshooting
troubleshooting: tools ## Cause each failure, and write docs/troubleshooting.md from the output of kubectl.
	mkdir -p docs
	WRITE_TROUBLESHOOTING=1 cargo test --locked --test cluster failures::table

.PHONY: image
image: ## Build the image with docker, podman or buildah. IMAGE sets its name.
	tests/image/build.sh

.PHONY: image-check
image-check: ## Build the image with buildah on local stand-ins for its base images, and check its contents.
	tests/image/check.sh

.PHONY: package
package: ## Package the chart into target/release-files. IMAGE_DIGEST=sha256:... sets the image that it installs.
	tests/tools/build.sh helm
	tests/release/package.sh

.PHONY: plugin
plugin: ## Build `kubectl cube`, and say how to install it.
	cargo build --profile plugin --locked --bin kubectl-cube
	@echo
	@echo "kubectl finds it as \`kubectl cube\` once it is on the PATH:"
	@echo "  install -m 755 $(CURDIR)/target/plugin/kubectl-cube ~/.local/bin/"
	@echo "Names of CubeCredentials are completed with:"
	@echo "  kubectl cube completion kubectl > ~/.local/bin/kubectl_complete-cube && chmod +x ~/.local/bin/kubectl_complete-cube"

.PHONY: plugin-archive
plugin-archive: ## Pack `kubectl cube` into target/release-files. TARGET=aarch64-apple-darwin sets the platform.
	tests/release/plugin.sh

.PHONY: krew
krew: ## Write the krew manifest of the archives in target/release-files.
	tests/release/krew.py

.PHONY: sbom
sbom: ## Write the SBOM of each architecture's image (CycloneDX) into target/release-files.
	tests/tools/build.sh cargo-cyclonedx
	tests/release/sbom.sh

.PHONY: release-check
release-check: ## Make a release as far as possible without publishing it. RELEASE_TAG=v1.2.3 sets its version.
	tests/tools/build.sh linters actionlint helm cargo-cyclonedx
	tests/release/check.sh

.PHONY: clean
clean: ## Remove target/.
	cargo clean

# The program as the Dockerfile builds it.
RELEASE = RUSTFLAGS=-Cprofile-use=$(CURDIR)/cube-operator.profdata \
	cargo rustc --release --locked --no-default-features --bin cube-operator -- -C link-arg=-fuse-ld=lld -C link-arg="-B$$(rustc --print sysroot)/lib/rustlib/$$(rustc --print host-tuple)/bin/gcc-ld" -C link-arg=-Wl,-z,pack-relative-relocs,--irpgo-profile=cube-operator.profdata,--bp-startup-sort=function

.PHONY: bench
bench: ## Measure 100, 1,000 and 10,000 CubeCredentials on a control plane of its own, and write docs/performance.md: 15 minutes. SIZES=100,1000 is quicker.
	tests/tools/build.sh helm kubectl etcd kube-apiserver kube-controller-manager
	$(RELEASE)
	cargo test --profile harness --locked --test bench -- --ignored --nocapture

.PHONY: profile
profile: ## Count anew which parts of the operator run how often, in cube-operator.profdata: a release is built by it. 15 minutes. It needs llvm-tools (rustup).
	tests/tools/build.sh helm kubectl etcd kube-apiserver kube-controller-manager
	tests/bench/profile.sh

.PHONY: bench-check
bench-check: tools ## Try with ten CubeCredentials whether `make bench` works.
	TRIAL=1 SIZES=10 SCENARIOS=floor,cold,restart,edit,refresh BENCH_BINARY=$(CURDIR)/target/debug/cube-operator \
		cargo test --locked --test bench -- --ignored --nocapture

.PHONY: bench-limit
bench-limit: ## Keep 10,000 CubeCredentials fresh under a hard limit of 64 MiB, in a cgroup: start, restart, mass refresh. It needs root.
	tests/tools/build.sh helm kubectl etcd kube-apiserver kube-controller-manager
	$(RELEASE)
	MEMORY_LIMIT=64 SIZES=10000 SCENARIOS=restart,refresh cargo test --profile harness --locked --test bench -- --ignored --nocapture

.PHONY: microbench
microbench: ## Measure decisions, the index and the parsing of a response.
	cargo bench --locked --profile dev --config profile.dev.package.cube-operator.opt-level=2 --bench core --bench work
