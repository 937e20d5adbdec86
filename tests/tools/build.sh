#!/usr/bin/env bash
# Builds the tools of the tests into target/tools, from the versions that the go.mod files beside this
# script, the requirements.txt of the token server, of linters/ and of browser/, the package-lock.json of oidc_provider/, and
# `build` below pin. A second run does nothing. Chromium is the only one that is installed into the system, by apt-get.
#
#   tests/tools/build.sh                                  everything that `make test` needs
#   tests/tools/build.sh helm kubectl venv                only these
#   tests/tools/build.sh --ready-made helm kubectl etcd   what is installed or published, where it is new enough: ready_made.sh
#
# KUBEBUILDER_ASSETS=DIR (what setup-envtest prints) supplies etcd, kube-apiserver and kubectl.
# ENVTEST_INDEX=URL is another index of what is published for setup-envtest.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
tools=$root/target/tools
bin=$tools/bin
stamps=$tools/stamps
logs=$tools/logs
ready_made=
everything="helm helm-unittest kubectl etcd venv linters actionlint cargo-deny kube-apiserver kube-controller-manager promtool prometheus definitions gitops-health chromium browser oidc-provider"

# shellcheck source=tests/tools/progress.sh
. "$here/progress.sh"
# shellcheck source=tests/tools/ready_made.sh
. "$here/ready_made.sh"

fail() {
    echo "build.sh: $*" >&2
    exit 1
}

checksum() {
    cat "$@" | sha256sum | cut -d ' ' -f 1
}

# up_to_date NAME STAMP FILE: was FILE made from exactly what STAMP says?
up_to_date() {
    [ -x "$3" ] && [ "$(cat "$stamps/$1" 2>/dev/null)" = "$2" ]
}

pinned() { # pinned MODULE-DIRECTORY MODULE
    awk -v module="$2" '$1 == "require" { sub(/^require +/, "") } $1 == module && $2 ~ /^v/ { print $2; exit }' "$here/$1/go.mod"
}

need_go() {
    remedy="install Go 1.26 or newer from https://go.dev/dl/"
    command -v go >/dev/null || fail "go is not installed: $remedy"
    minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
    [ "${minor:-0}" -ge 26 ] || fail "go $(go env GOVERSION) is too old: $remedy"
}

# go_tool NAME MODULE-DIRECTORY PACKAGE DURATION LDFLAGS [TAGS]
go_tool() {
    pins=("$here/$2/go.mod")
    # A module without dependencies has no go.sum.
    [ ! -e "$here/$2/go.sum" ] || pins+=("$here/$2/go.sum")
    stamp="$(checksum "${pins[@]}") $5${6:+ $6}"
    if up_to_date "$1" "$stamp" "$bin/$1"; then
        echo "$1: already built"
        return
    fi
    ! found "$1" || return 0
    need_go
    # -C: go runs in the folder of the module. -mod=readonly: the pins are what gets built, never something newer.
    # Into a name of its own first, so that an interrupted build leaves no half a tool behind.
    CGO_ENABLED=0 waiting "$1" "building, about $4 the first time" go build -C "$here/$2" -mod=readonly -trimpath \
        -tags "${6:-}" -ldflags "-s -w $5" -o "$bin/.$1.new" "$3" || fail "building $1 failed: see the messages of go above"
    mv -f "$bin/.$1.new" "$bin/$1"
    echo "$stamp" >"$stamps/$1"
}

# Without a version in the binary the API server reports v0.0.0, and helm's capability checks go wrong.
kubernetes_flags() {
    version=$(pinned kubernetes k8s.io/kubernetes)
    IFS=. read -r major minor _ <<<"${version#v}"
    for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        printf -- '-X %s.gitVersion=%s -X %s.gitMajor=%s -X %s.gitMinor=%s ' \
            $package "$version" $package "$major" $package "$minor"
    done
}

# helm's own Makefile sets these from its client-go: they are what `helm template` and `helm lint` assume
# to be the version of the cluster.
helm_flags() {
    minor=$(pinned helm k8s.io/client-go | sed 's/^v0\.\([0-9]*\)\..*/\1/')
    printf -- '-X helm.sh/helm/v3/internal/version.version=%s ' "$(pinned helm helm.sh/helm/v3)"
    for package in helm.sh/helm/v3/pkg/lint/rules helm.sh/helm/v3/pkg/chartutil; do
        printf -- '-X %s.k8sVersionMajor=1 -X %s.k8sVersionMinor=%s ' $package $package "$minor"
    done
}

# kubernetes_tool NAME DURATION
kubernetes_tool() {
    go_tool "$1" kubernetes "k8s.io/kubernetes/cmd/$1" "$2" "$(kubernetes_flags)"
}

# Without the clouds that it can look for targets in, Prometheus is built in half the time. prometheus_tool NAME DURATION
prometheus_tool() {
    go_tool "$1" prometheus "github.com/prometheus/prometheus/cmd/$1" "$2" "" remove_all_sd
}

# What the Prometheus operator publishes as ServiceMonitor and PrometheusRule.
definitions() {
    module=github.com/prometheus-operator/prometheus-operator
    stamp=$(checksum "$here/prometheus-operator/go.mod" "$here/prometheus-operator/go.sum")
    if up_to_date definitions "$stamp" "$tools/definitions"; then
        echo "definitions: already there"
        return
    fi
    need_go
    cd "$here/prometheus-operator"
    waiting definitions "downloading the Prometheus operator's, 5 MB" go mod download $module ||
        fail "downloading $module failed: see the messages of go above"
    published=$(go list -m -f '{{.Dir}}' $module)
    mkdir -p "$tools/definitions"
    for kind in servicemonitors prometheusrules; do
        cp "$published/example/prometheus-operator-crd/monitoring.coreos.com_$kind.yaml" "$tools/definitions/$kind.yaml"
    done
    chmod u+w "$tools/definitions"/*
    echo "$stamp" >"$stamps/definitions"
}

# python_venv NAME REQUIREMENTS PROGRAM WHAT: a virtual environment with PROGRAM in it
python_venv() {
    venv=$tools/$1
    command -v python3 >/dev/null || fail "python3 is not installed: apt-get install python3 python3-venv"
    stamp=$(checksum "$root/$2")-$(python3 -c 'import sys; print(sys.version.split()[0])')
    if up_to_date "$1" "$stamp" "$venv/bin/$3"; then
        echo "$1: already built"
        return
    fi
    python3 -c 'import venv, ensurepip' 2>/dev/null ||
        fail "this python3 cannot make a virtual environment: apt-get install python3-venv"
    rm -rf "$venv"
    waiting "$1" "installing $4, about 20 s" install_python_packages "$venv" "$root/$2" ||
        fail "installing the Python packages failed: see the messages of pip above"
    "$venv/bin/pip" check --disable-pip-version-check >/dev/null ||
        fail "$2 is not complete: see '$venv/bin/pip check'"
    echo "$stamp" >"$stamps/$1"
}

install_python_packages() { # install_python_packages VENV REQUIREMENTS
    python3 -m venv "$1" && "$1/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$2"
}

token_server() {
    command -v openssl >/dev/null || fail "openssl is not installed: apt-get install openssl"
    python_venv venv tests/token_server/requirements.txt gunicorn "the token server's Python packages"
}

# Chromium updates itself by apt-get, and its driver with it: neither is pinned.
chromium() {
    if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then
        echo "chromium: already installed"
        return
    fi
    remedy="apt-get install chromium chromium-driver, or put both programs, chromium and chromedriver, on the PATH"
    command -v apt-get >/dev/null || fail "chromium is not installed: $remedy"
    [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null || fail "chromium is not installed, and only root may install it: $remedy"
    waiting chromium "installing, 130 MB, about 20 s" install_chromium ||
        fail "installing chromium failed: see the messages of apt-get above; $remedy"
}

install_chromium() {
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
    # Another apt-get may run, such as the daily updates.
    apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
    "${apt[@]}" update && "${apt[@]}" install --yes --no-install-recommends chromium chromium-driver
}

# The second provider, and the terminal whose pictures the tests take.
oidc_provider() {
    stamp=$(checksum "$root/tests/oidc_provider/package-lock.json")
    if up_to_date oidc-provider "$stamp" "$tools/oidc_provider/node_modules"; then
        echo "oidc-provider: already there"
        return
    fi
    remedy="install Node.js 20 or newer from https://nodejs.org"
    for program in node npm; do
        command -v $program >/dev/null || fail "$program is not installed: $remedy"
    done
    [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || fail "node $(node --version) is too old: $remedy"
    rm -rf "$tools/oidc_provider"
    mkdir -p "$tools/oidc_provider"
    cp "$root/tests/oidc_provider/package.json" "$root/tests/oidc_provider/package-lock.json" "$tools/oidc_provider"
    waiting oidc-provider "installing, 10 MB, about 5 s" npm ci --prefix "$tools/oidc_provider" --ignore-scripts --no-audit --no-fund --silent ||
        fail "installing oidc-provider failed: see the messages of npm above"
    echo "$stamp" >"$stamps/oidc-provider"
}

# keycloak VERSION: the distribution, built with the features that a test needs.
keycloak() {
    if up_to_date keycloak "$1" "$tools/keycloak/bin/kc.sh"; then
        echo "keycloak: already built"
        return
    fi
    for program in java:openjdk-17-jdk-headless mvn:maven python3:python3; do
        command -v "${program%:*}" >/dev/null || fail "${program%:*} is not installed: apt-get install ${program#*:}"
    done
    waiting keycloak "downloading, 177 MB, and building, about 1 min" install_keycloak "$1" ||
        fail "installing Keycloak failed: see the messages above"
    echo "$1" >"$stamps/keycloak"
}

install_keycloak() { # install_keycloak VERSION
    new=$tools/.keycloak.new
    rm -rf "$new" "$tools/keycloak"
    mvn --quiet --batch-mode org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
        "-Dartifact=org.keycloak:keycloak-quarkus-dist:$1:zip" "-DoutputDirectory=$new" || return
    python3 -m zipfile -e "$new/keycloak-quarkus-dist-$1.zip" "$new" || return
    # zipfile forgets which files are programs.
    chmod +x "$new/keycloak-$1/bin/kc.sh"
    "$new/keycloak-$1/bin/kc.sh" build --db=dev-mem --cache=local --https-client-auth=request \
        --features=client-auth-federated,kubernetes-service-accounts || return
    mv "$new/keycloak-$1" "$tools/keycloak" && rm -rf "$new"
}

# cargo_tool NAME VERSION DURATION
cargo_tool() {
    if up_to_date "$1" "$2" "$bin/$1"; then
        echo "$1: already built"
        return
    fi
    command -v cargo >/dev/null || fail "cargo is not installed: install Rust from https://rustup.rs"
    # --debug: optimizing takes longer than the tool ever runs.
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 waiting "$1" "building, about $3 the first time" cargo install --quiet --locked --debug --no-default-features \
        --force --no-track --root "$root/target/tools" --version "=$2" "$1" ||
        fail "building $1 failed: see the messages of cargo above"
    echo "$2" >"$stamps/$1"
}

build() {
    case $1 in
    actionlint) go_tool actionlint actionlint github.com/rhysd/actionlint/cmd/actionlint "20 s" "-X github.com/rhysd/actionlint.version=$(pinned actionlint github.com/rhysd/actionlint)" ;;
    cargo-cyclonedx) cargo_tool cargo-cyclonedx 0.5.9 "2 min" ;;
    cargo-deny) cargo_tool cargo-deny 0.20.2 "2 min" ;;
    cargo-machete) cargo_tool cargo-machete 0.9.2 "1 min" ;;
    helm) go_tool helm helm helm.sh/helm/v3/cmd/helm "1 min" "$(helm_flags)" ;;
    helm-unittest) go_tool helm-unittest helm github.com/helm-unittest/helm-unittest/cmd/helm-unittest "10 s" "$(helm_flags)" ;;
    kubectl) kubernetes_tool kubectl "1 min" ;;
    etcd) go_tool etcd etcd go.etcd.io/etcd/server/v3 "30 s" "" ;;
    venv) token_server ;;
    chromium) chromium ;;
    browser) python_venv browser tests/browser/requirements.txt python "the library that drives the browser" ;;
    oidc-provider) oidc_provider ;;
    keycloak) keycloak 26.7.3 ;;
    linters) python_venv linters tests/tools/linters/requirements.txt shellcheck "the linters of scripts and the Dockerfile" ;;
    kube-apiserver) kubernetes_tool kube-apiserver "4 min" ;;
    kube-controller-manager) kubernetes_tool kube-controller-manager "2 min" ;;
    kubelet) kubernetes_tool kubelet "1 min" ;;
    kube-scheduler) kubernetes_tool kube-scheduler "20 s" ;;
    consumer) go_tool consumer consumer . "10 s" "-X main.source=$(checksum "$here/consumer/main.go")" ;;
    promtool) prometheus_tool promtool "2 min" ;;
    prometheus) prometheus_tool prometheus "1 min" ;;
    definitions) definitions ;;
    # The checksum is only there to build it again when it changes.
    gitops-health) go_tool gitops-health gitops . "1 min" "-X main.source=$(checksum "$here/gitops/main.go")" ;;
    *) fail "there is no tool $1: choose from $everything keycloak kubelet kube-scheduler consumer cargo-machete cargo-cyclonedx" ;;
    esac
}

mkdir -p "$bin" "$stamps" "$logs"
if [ "${1:-}" = --ready-made ]; then
    ready_made=1
    shift
fi
# shellcheck disable=SC2086 # Each word is a tool.
[ $# -gt 0 ] || set -- $everything
for tool in "$@"; do
    # Two test runs that start together must not build the same thing twice.
    (
        flock -n 9 || waiting "$tool" "waiting for another run of build.sh" flock 9
        build "$tool"
    ) 9>"$stamps/$tool.lock"
done
