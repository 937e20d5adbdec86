#!/usr/bin/env bash
# Writes what the image of each architecture is built from, as CycloneDX 1.5: target/release-files/cube-operator.ARCH.cdx.json
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/target/tools/bin:$PATH"
files=target/release-files

# list ARCH TARGET: the same commit makes the same list, wherever and whenever that is.
list() {
  local name=cube-operator.$1.cdx
  # It is written beside Cargo.toml.
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) cargo cyclonedx --quiet --format json --spec-version 1.5 \
    --target "$2" --override-filename "$name"
  # Without the folder in which it was made. The serial number would be another one each time, and nothing refers to it.
  sed "s|path+file://$PWD#||g; s|^  \"serialNumber\": .*||" "$name.json" > "$files/$name.json"
  rm "$name.json"
  python3 -c 'import json, sys; print(sys.argv[1], len(json.load(open(sys.argv[1]))["components"]), "packages")' "$files/$name.json"
}

mkdir -p "$files"
list amd64 x86_64-unknown-linux-gnu
list arm64 aarch64-unknown-linux-gnu
