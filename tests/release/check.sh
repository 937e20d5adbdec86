#!/usr/bin/env bash
# As much of a release as can be made without publishing anything. RELEASE_TAG=v1.2.3 says which one is to be made.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/target/tools/bin:$PWD/target/tools/linters/bin:$PATH"
digest=sha256:$(printf '0123456789abcdef%.0s' 1 2 3 4)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
chart=target/release-files/cube-operator-$version.tgz
# shellcheck source=tests/tools/checks.sh
. tests/tools/checks.sh

package() {
  IMAGE_DIGEST=$digest tests/release/package.sh && [ -s "$chart" ]
}

installs_the_image_by_digest() {
  local images
  images=$(helm template cube-operator "$chart" | sed -n 's/^ *image: //p') \
    && echo "$images" && [ "$images" = "\"ghcr.io/cube-operator/cube-operator@$digest\"" ]
}

# What a consumer of the list looks for: every package of the lock file that it names, with its checksum.
lists_of_packages() {
  tests/release/sbom.sh && python3 - << 'END'
import json, tomllib

with open("Cargo.lock", "rb") as file:
    locked = {(p["name"], p["version"]): p.get("checksum") for p in tomllib.load(file)["package"]}
for arch in ["amd64", "arm64"]:
    with open(f"target/release-files/cube-operator.{arch}.cdx.json") as file:
        components = json.load(file)["components"]
    assert len(components) > 100, f"{arch}: only {len(components)} packages"
    for component in components:
        wanted = locked[component["name"], component["version"]]
        assert component["hashes"] == [{"alg": "SHA-256", "content": wanted}], component["name"]
    # Tests are not shipped.
    assert not {"proptest", "rcgen", "divan"} & {c["name"] for c in components}, arch
END
}

# The program for this machine: its archive, its size, and the time to its first output.
plugin() {
  local archive size before after
  archive=$(tests/release/plugin.sh | tail -n 1) && tests/release/krew.py --partial || return 1
  size=$(tar -x -z -O -f "$archive" ./kubectl-cube | wc -c)
  before=$(date +%s%N)
  for _ in 1 2 3 4 5; do target/plugin-archive/kubectl-cube version --client > /dev/null || return 1; done
  after=$(date +%s%N)
  echo "$size bytes, $(((after - before) / 5000000)) ms to the first output"
  [ "$size" -le $((12 * 1024 * 1024)) ] && [ $((after - before)) -le 500000000 ]
}

check "actionlint" actionlint
check "hadolint" hadolint Dockerfile
check "what stands in several files is the same, and what is foreign is pinned" python3 tests/release/agreement.py
check "helm lint and helm package" package
check "the packaged chart installs the image by its digest" installs_the_image_by_digest
check "kubectl cube: archive, krew manifest, at most 12 MiB and 100 ms" plugin
check "a list of packages for each architecture, as in Cargo.lock" lists_of_packages

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
