#!/usr/bin/env bash
# Lints the chart, runs its unit tests, has a real API server validate what it renders for each file in values/, makes sure
# that the schema refuses each file in invalid/ with the message in its first line, and installs, upgrades and uninstalls it.
# Starts a control plane of its own, or uses the cluster in KUBECONFIG: one to throw away, because namespaces and the
# definition stay there.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/target/tools/bin:$PATH"
chart=charts/cube-operator
# shellcheck source=tests/tools/checks.sh
. tests/tools/checks.sh

start_control_plane() {
  local facts
  directory=$(mktemp -d)
  trap stop_control_plane EXIT
  coproc plane { exec python3 tests/environment.py control-plane --dir "$directory"; }
  pid=$!
  read -r facts <&"${plane[0]}"
  KUBECONFIG=$(python3 -c 'import json, sys; print(json.loads(sys.argv[1])["kubeconfig"])' "$facts")
  export KUBECONFIG
}

stop_control_plane() {
  if kill "$pid" 2> /dev/null; then wait "$pid" || true; fi
  rm -rf "$directory"
}

# Warnings are errors: one of them says that a pod is not allowed by the restricted pod security standard.
accepted() {
  helm template cube-operator "$chart" -n chart-test -f "$1" \
    | kubectl apply --server-side --dry-run=server --warnings-as-errors -f -
}

refused() {
  local message output
  message=$(sed -n '1s/^# //p' "$1")
  [ -n "$message" ] || { echo "its first line is not the expected message"; return 1; }
  if output=$(helm template cube-operator "$chart" -f "$1" 2>&1); then
    echo "accepted, although it should say: $message"
    return 1
  fi
  grep -qF -- "$message" <<< "$output" || { echo "refused, but not with: $message"; echo "$output"; return 1; }
}

# Asks the API server for the scope of each kind, so that a new kind is not forgotten here.
namespaced_only() {
  local kinds cluster_scoped
  kinds=$(helm template cube-operator "$chart" -n chart-test -f "$1" | sed -n 's/^kind: //p' | sort -u) || return 1
  cluster_scoped=$(kubectl api-resources --namespaced=false --no-headers | awk '{print $NF}' | sort -u) || return 1
  [ -n "$kinds" ] && [ -n "$cluster_scoped" ] || return 1
  ! grep -Fx "$kinds" <<< "$cluster_scoped"
}

installs_the_generated_definition() {
  helm install cube-operator "$chart" -n chart-test \
    && kubectl wait --for=condition=Established --timeout=30s crd/cubecredentials.cube-operator.dev \
    && kubectl diff --server-side --force-conflicts -f crds/cubecredentials.yaml -f crds/cubeproviders.yaml
}

example_of_the_notes() {
  helm get notes cube-operator -n chart-test | sed -n '/<<END$/,/^  END$/p' | sed '1d;$d;s/^  //' > "$1" \
    && kubectl apply -n chart-test --dry-run=server --warnings-as-errors -f "$1" \
    && [ "$(grep -c '^kind: ' "$1")" = 2 ] \
    && [ "$(grep -c 'cube-operator.dev/credential: "true"' "$1")" = 1 ]
}

example_of_artifact_hub() {
  { printf 'apiVersion: v1\nkind: List\nitems:\n'; sed -n '/crdsExamples: |/,/^  [^ ]/p' "$chart/Chart.yaml" | sed -n '/^    /p'; } > "$1" \
    && grep -q CubeCredential "$1" && kubectl apply -n chart-test --dry-run=server --warnings-as-errors -f "$1"
}

# Runs the first command of these pages that has these words, with its further lines, as it stands there.
documented() {
  local command
  command=$(awk -v words="$1" '
    /^(helm|kubectl) / { command = ""; inside = 1 }
    inside { command = command $0 "\n" }
    inside && !/\\$/ { inside = 0; if (index(command, words)) { printf "%s", command; exit } }' docs/operations.md docs/monitoring.md)
  [ -n "$command" ] || { echo "on no page: $1"; return 1; }
  bash -c "$command"
}

life_of_a_release() {
  helm install cube-operator "$chart" -n cube-system --set replicas=2 \
    && documented "helm upgrade cube-operator charts/cube-operator --namespace cube-system" \
    && [ "$(kubectl -n cube-system get deploy cube-operator -o jsonpath='{.spec.replicas}')" = 2 ] \
    && documented "requireTokenHosts=true" && documented "monitoring.serviceMonitor.enabled=true" \
    && kubectl -n cube-system get deploy cube-operator -o yaml | grep -A 1 CUBE_OPERATOR_REQUIRE_TOKEN_HOSTS | grep true \
    && kubectl -n cube-system get servicemonitor,prometheusrule cube-operator \
    && an_older_version_keeps_the_definition \
    && documented "scale deployment -l app.kubernetes.io/instance=cube-operator" \
    && [ "$(kubectl -n cube-system get deploy cube-operator -o jsonpath='{.spec.replicas}')" = 0 ] \
    && documented "wait pod -l app.kubernetes.io/instance=cube-operator" \
    && documented "helm uninstall cube-operator --namespace cube-system --wait" \
    && documented "helm install tokens charts/cube-operator --namespace cube-system" \
    && kubectl -n cube-system get deploy tokens
}

an_older_version_keeps_the_definition() {
  local before
  before=$(kubectl get crd cubecredentials.cube-operator.dev -o jsonpath='{.metadata.uid}') \
    && documented "--set crds.install=false,image.tag=" \
    && ! helm get manifest cube-operator -n cube-system | grep '^kind: CustomResourceDefinition' \
    && [ "$(kubectl get crd cubecredentials.cube-operator.dev -o jsonpath='{.metadata.uid}')" = "$before" ] \
    && helm upgrade cube-operator "$chart" -n cube-system --reset-then-reuse-values --set crds.install=true
}

# Helm takes the rights away while the operator may still have a refresh token to store.
stopped_before_each_uninstall() {
  awk '
    FNR == 1 || /^```/ { stopped = waited = 0 }
    /^kubectl .* scale deployment .*--replicas=0$/ { stopped = 1 }
    /^kubectl .* wait pod .*--for=delete --timeout=150s$/ { waited = stopped }
    /^helm uninstall / { found++; if (!waited) { print "not stopped before it: " FILENAME ": " $0; wrong = 1 } }
    END { exit wrong || found < 3 }' docs/*.md
}

end_of_a_release() {
  documented "kubectl delete cubecredentials" && documented "kubectl get secrets --all-namespaces" \
    && helm uninstall tokens -n cube-system --wait && kubectl get crd cubecredentials.cube-operator.dev \
    && documented "kubectl delete crd" && gone crd {cubecredentials,cubeproviders}.cube-operator.dev
}

releases_of_one_name() {
  documented "helm install cube-operator charts/cube-operator -n team-a --set 'watchNamespaces={team-a}'" \
    && documented "helm install cube-operator charts/cube-operator -n team-b --set 'watchNamespaces={team-b},crds.install=false'" \
    && kubectl get clusterrole cube-operator.team-a.{view,edit,refresh} cube-operator.team-b.{view,edit,refresh} \
    && kubectl get validatingadmissionpolicy cube-operator.team-a.authors cube-operator.team-b.authors
}

the_definition_changes_hands() {
  helm uninstall cube-operator -n team-a --wait \
    && gone clusterrole cube-operator.team-a.view && kubectl get clusterrole cube-operator.team-b.view \
    && documented "helm install tokens charts/cube-operator -n team-c --set 'watchNamespaces={team-c}' --take-ownership" \
    && documented "helm upgrade cube-operator charts/cube-operator -n team-b --reset-then-reuse-values --set crds.install=true --take-ownership" \
    && helm uninstall tokens -n team-c --wait && helm uninstall cube-operator -n team-b --wait \
    && kubectl get crd cubecredentials.cube-operator.dev
}

nothing_cluster_scoped() {
  documented "crds.install=false,aggregateRoles=false'" \
    && gone clusterrole,validatingadmissionpolicy -l app.kubernetes.io/name=cube-operator \
    && helm uninstall cube-operator -n team-a --wait
}

# A release by the same name in the same namespace finds the definition that the last one left.
the_kept_definition_is_found() {
  helm install cube-operator "$chart" -n chart-test && helm uninstall cube-operator -n chart-test --wait
}

every_interval() {
  local interval
  for interval in 1s 59s 90s 3600s 1m 60m 1m30s 59m59s 1h; do
    helm template cube-operator "$chart" --set tokenRequestInterval=$interval > /dev/null || return 1
  done
  for interval in 0s 3601s 61m 2h 1m0s 90 1.5m; do
    ! helm template cube-operator "$chart" --set-string tokenRequestInterval=$interval > /dev/null 2>&1 \
      || { echo "accepted: $interval"; return 1; }
  done
}

# What the program would refuse at its start: see src/cli/values.rs.
every_network_and_host() {
  local entry
  for entry in 10.0.0.0/8 0.0.0.0/0 fd00::/8 ::/0 ::1/128 fe80::1:2/64 1:2:3:4:5:6:7:8/128 1:2:3:4:5:6:7::/112 ::ffff:10.0.0.0/104 64:ff9b::/96; do
    helm template cube-operator "$chart" --set "denyNetworks={$entry}" > /dev/null || return 1
  done
  for entry in fd00:/8 1:2/64 1:2:3:4:5:6:7/64 1:2:3:4:5:6:7:8:9/64 1::2::3/64 12345::/16 :::/0 :1/128 ::10.0.0/96 ::/129; do
    ! helm template cube-operator "$chart" --set "denyNetworks={$entry}" > /dev/null 2>&1 || { echo "accepted: $entry"; return 1; }
  done
  for entry in login.example.com login.example.com. localhost bücher.example 1und1.example 192.0.2.1 192.0.2.1:8443 a.example:0443 \
    a.example:65535 ::1 2001:db8::1 '[2001:db8::1]' '[::1]:8443'; do
    helm template cube-operator "$chart" --set "allowedTokenHosts={$entry}" > /dev/null || return 1
  done
  for entry in a.example:99999 a.example:65536 a.example: '%61.example' 'a.example\\b' 'a<b.example' 'a+b.example' 192.0.2.999 192.0.2.1:99999 \
    '[fd00:1]' '[::1]:65536' 1::2::3; do
    ! helm template cube-operator "$chart" --set "allowedTokenHosts={$entry}" > /dev/null 2>&1 || { echo "accepted: $entry"; return 1; }
  done
}

# Helm takes a value away that is null. A default that is gone would turn a protection off, or render nothing, without a word.
every_null() {
  local path output
  local optional=" image.tag image.digest imagePullSecrets fullnameOverride extraEnv serviceAccount.name serviceAccount.annotations
    networkPolicy.metricsFrom networkPolicy.extraEgress monitoring.serviceMonitor.labels monitoring.serviceMonitor.tlsConfig
    monitoring.serviceMonitor.authorization monitoring.prometheusRule.labels monitoring.prometheusRule.runbookURL
    monitoring.dashboard.labels resources dnsConfig podSecurityContext securityContext extraVolumes extraVolumeMounts podAnnotations nodeSelector tolerations affinity
    topologySpreadConstraints priorityClassName "
  for path in $(jq -r '
    def resolved($root): if has("$ref") then $root.definitions[."$ref" | split("/") | last] else . end;
    def paths_below($root; $above):
      resolved($root) | (.properties // {}) | del(.global) | to_entries[] | ($above + [.key]) as $path
      | ($path | join(".")), (.value | paths_below($root; $path));
    . as $root | del(.properties.enabled) | paths_below($root; [])' "$chart/values.schema.json"); do
    if output=$(helm template cube-operator "$chart" -f tests/chart/values/network-policy.yaml --set "$path=null" 2>&1); then
      [[ $optional =~ [[:space:]]"$path"[[:space:]] ]] || { echo "accepted: $path=null"; return 1; }
    else
      grep -qF 'missing propert' <<< "$output" || { echo "not refused by the schema: $path=null"; echo "$output"; return 1; }
      [[ ! $optional =~ [[:space:]]"$path"[[:space:]] ]] || { echo "refused: $path=null"; return 1; }
    fi
  done
}

# Helm passes the value of a dependency's condition on to the dependency.
part_of_another_chart() {
  local umbrella=$1
  mkdir "$umbrella/charts" && cp -r "$chart" "$umbrella/charts" \
    && printf '%s\n' 'apiVersion: v2' 'name: umbrella' 'version: 1.0.0' 'dependencies:' \
      '  - {name: cube-operator, version: "*", condition: cube-operator.enabled}' > "$umbrella/Chart.yaml" \
    && helm template umbrella "$umbrella" --set cube-operator.enabled=true | grep '^kind: Deployment$' \
    && helm template umbrella "$umbrella" --set cube-operator.enabled=false > "$umbrella/output" && ! grep '^kind: ' "$umbrella/output"
}

upgrade_to_namespaces() {
  helm upgrade cube-operator "$chart" -n chart-test --set 'watchNamespaces={team-a}' \
    && kubectl get role/cube-operator rolebinding/cube-operator -n team-a \
    && gone clusterrole/cube-operator.chart-test && gone clusterrolebinding/cube-operator.chart-test
}

uninstall_keeps_the_definition() {
  helm uninstall cube-operator -n chart-test --wait \
    && gone role/cube-operator -n team-a && gone clusterrole -l app.kubernetes.io/name=cube-operator \
    && gone validatingadmissionpolicy,validatingadmissionpolicybinding -l app.kubernetes.io/name=cube-operator \
    && kubectl get crd cubecredentials.cube-operator.dev
}

gone() {
  local found
  found=$(kubectl get "$@" --ignore-not-found) || return 1
  [ -z "$found" ] || { echo "still there: $found"; return 1; }
}

[ -n "${KUBECONFIG:-}" ] || start_control_plane
for namespace in chart-test cube-system team-a team-b team-c 10042; do
  kubectl create namespace "$namespace" --dry-run=client -o yaml | kubectl apply -f - > /dev/null
done
kubectl label namespace chart-test --overwrite pod-security.kubernetes.io/warn=restricted > /dev/null

# ServiceMonitor and PrometheusRule, as the Prometheus operator publishes them.
kubectl apply --server-side -f target/tools/definitions > /dev/null
kubectl wait --for=condition=Established --timeout=30s -f target/tools/definitions > /dev/null

check "helm lint" helm lint --strict "$chart"
check "the unit tests of the chart" helm-unittest "$chart"
for values in tests/chart/values/*.yaml; do
  check "the API server accepts $(basename "$values")" accepted "$values"
done
check "nothing-cluster-scoped.yaml has no cluster-scoped object" namespaced_only tests/chart/values/nothing-cluster-scoped.yaml
for values in tests/chart/invalid/*.yaml; do
  check "the schema refuses $(basename "$values")" refused "$values"
done
check "install brings the definition of crds/" installs_the_generated_definition
notes=$(mktemp)
check "the example in the notes is complete and valid" example_of_the_notes "$notes"
check "the example for Artifact Hub is valid" example_of_artifact_hub "$notes"
rm "$notes"
check "upgrade to some namespaces takes the cluster-wide rights away" upgrade_to_namespaces
check "uninstall keeps the definition, and nothing else" uninstall_keeps_the_definition
check "the next release by that name finds the definition" the_kept_definition_is_found
kubectl delete crd {cubecredentials,cubeproviders}.cube-operator.dev > /dev/null
check "a release is upgraded, and installed under another name, as the page says" life_of_a_release
check "the pages stop the operator before each uninstall" stopped_before_each_uninstall
check "a release goes with all that it had, as the page says" end_of_a_release
check "two releases in two namespaces have one name" releases_of_one_name
check "the definition of a release that is gone changes hands" the_definition_changes_hands
check "the page's command for one namespace creates nothing cluster-scoped" nothing_cluster_scoped
check "the schema takes seconds, minutes and both, from 1s to 1h" every_interval
check "the schema takes the networks and hosts that the program takes" every_network_and_host
check "the schema refuses null wherever it would not be an empty value" every_null
umbrella=$(mktemp -d)
check "another chart can depend on this one under a condition" part_of_another_chart "$umbrella"
rm -r "$umbrella"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
