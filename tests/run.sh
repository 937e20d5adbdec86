#!/usr/bin/env bash
# All tests. The tools of the test cluster are built while the Rust code is.
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in cargo go python3 node npm openssl jq; do
  command -v "$tool" > /dev/null || {
    echo "make test needs $tool: install Rust (rustup.rs), Go (go.dev), Python 3 with venv, Node.js (nodejs.org), openssl and jq" >&2
    exit 1
  }
done

step() { printf '\n=== %s (%d s)\n' "$1" "$SECONDS"; }

mkdir -p target
tests/tools/build.sh > target/tools.log 2>&1 &
tools=$!

step "format and lints"
make --no-print-directory lint

step "choice of the demo's tools"
make --no-print-directory tools-check

step "unit and property tests"
make --no-print-directory unit

step "simulation"
make --no-print-directory simulate

step "documentation"
make --no-print-directory docs

step "tools of the test cluster"
wait "$tools" || { tail -n 30 target/tools.log >&2; exit 1; }

step "dependencies"
make --no-print-directory dependencies

# The cluster tests mostly wait for the clock, so the rest is checked meanwhile, on control planes of its own.
step "cluster tests, the chart and the bench"
{ make --no-print-directory chart && make --no-print-directory bench-check; } > target/chart.log 2>&1 &
chart=$!
make --no-print-directory cluster || { wait "$chart" || cat target/chart.log >&2; exit 1; }

step "chart and bench"
wait "$chart" || { cat target/chart.log >&2; exit 1; }
cat target/chart.log

step "all passed"
