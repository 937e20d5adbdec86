#!/usr/bin/env bash
# Lints the chart, runs its unit tests, has a real API server validate what it renders for each file in values/, makes sure
# that the schema refuses each file in invalid/ with the message in its first line, and installs, upgrades and uninstalls it.
# Uses the cluster in KUBECONFIG, or starts a control plane of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/target/tools/bin:$PATH"
chart=charts/cube-operator
passed=0 failed=0

check() { # check WHAT COMMAND...: prints the command's output only if it fails
  local what=$1 output
  shift
  if output=$("$@" 2>&1); then
    echo "ok: $what"
    passed=$((passed + 1))
  else
    printf 'FAILED: %s\n%s\n' "$what" "$output" >&2
    failed=$((failed + 1))
  fi
}

start_control_plane() {
  local directory
  directory=$(mktemp -d)
  coproc plane { exec python3 tests/environment.py control-plane --dir "$directory"; }
  # Its file descriptors are closed, and it ends, when this script ends.
  local facts
  read -r facts <&"${plane[0]}"
  KUBECONFIG=$(python3 -c 'import json, sys; print(json.loads(sys.argv[1])["kubeconfig"])' "$facts")
  export KUBECONFIG
}

accepted() { helm template cube-operator "$chart" -n chart-test -f "$1" | kubectl apply --server-side --dry-run=server -f -; }

refused() {
  local message output
  message=$(sed -n '1s/^# //p' "$1")
  if output=$(helm template cube-operator "$chart" -f "$1" 2>&1); then
    echo "accepted, although it should say: $message"
    return 1
  fi
  grep -qF -- "$message" <<< "$output" || { echo "refused, but not with: $message"; echo "$output"; return 1; }
}

namespaced_only() {
  ! helm template cube-operator "$chart" -n chart-test -f "$1" | grep -E '^kind: (Cluster.*|CustomResourceDefinition)$'
}

uninstall_keeps_the_definition() {
  helm uninstall cube-operator -n chart-test --wait
  kubectl get crd cubecredentials.cube-operator.dev
}

[ -n "${KUBECONFIG:-}" ] || start_control_plane
for namespace in chart-test team-a team-b; do
  kubectl create namespace "$namespace" > /dev/null
done

check "helm lint" helm lint --strict "$chart"
check "the unit tests of the chart" helm-unittest "$chart"
for values in tests/chart/values/*.yaml; do
  check "the API server accepts $(basename "$values")" accepted "$values"
done
check "nothing-cluster-scoped.yaml has no cluster-scoped object" namespaced_only tests/chart/values/nothing-cluster-scoped.yaml
for values in tests/chart/invalid/*.yaml; do
  check "the schema refuses $(basename "$values")" refused "$values"
done
check "install" helm install cube-operator "$chart" -n chart-test
check "upgrade" helm upgrade cube-operator "$chart" -n chart-test --set 'watchNamespaces={team-a}'
check "uninstall keeps the definition" uninstall_keeps_the_definition

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
