#!/usr/bin/env bash
# Packages the chart: target/release-files/cube-operator-VERSION.tgz
#
#   IMAGE_DIGEST=sha256:...   the image that it installs, whatever its tag points to later; by default none, and the tag counts
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/target/tools/bin:$PATH"
files=target/release-files
copy=$files/chart
digest=${IMAGE_DIGEST:-}

rm -rf "$copy"
mkdir -p "$copy"
trap 'rm -rf "$copy"' EXIT
cp -R charts/cube-operator "$copy/"
cp LICENSE "$copy/cube-operator/"

if [ -n "$digest" ]; then
  values=$copy/cube-operator/values.yaml
  sed -i "s|^  digest: \"\"$|  digest: $digest|" "$values"
  grep -qFx "  digest: $digest" "$values" || { echo "values.yaml has no line for image.digest" >&2; exit 1; }
fi
helm lint --quiet --strict "$copy/cube-operator"
helm package "$copy/cube-operator" --destination "$files"
