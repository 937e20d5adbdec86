#!/bin/sh
# Builds the operator's image with docker, podman or buildah: the first that is there and works.
#
#   tests/image/build.sh [FLAG...]        flags for the engine's build command, such as --no-cache
#
# IMAGE=NAME        the name of the image; cube-operator:dev when nothing is said
# ENGINE=NAME       this engine, and no other
# DOCKERFILE=FILE   build this one instead, with the same context
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
image=${IMAGE:-cube-operator:dev}

fail() {
    echo "build.sh: $*" >&2
    exit 1
}

# A docker client is often there without a daemon that it could talk to: only an answer counts.
works() {
    command -v "$1" >/dev/null && timeout 30 "$1" info >/dev/null 2>&1
}

if [ -n "${ENGINE:-}" ]; then
    works "$ENGINE" || fail "$ENGINE is not installed, or '$ENGINE info' fails"
    engine=$ENGINE
else
    for engine in docker podman buildah ""; do
        [ -n "$engine" ] || fail "no docker, podman or buildah works here: start the docker daemon, or apt-get install podman"
        if works "$engine"; then break; fi
    done
fi

version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
revision=$(git -C "$root" describe --always --dirty --abbrev=40 --exclude '*' 2>/dev/null || echo unknown)
echo "building $image ($version, $revision) with $engine"
# buildah alone keeps no layers unless it is told to.
[ "$engine" != buildah ] || set -- --layers "$@"
exec "$engine" build --file "${DOCKERFILE:-$root/Dockerfile}" --tag "$image" \
    --label "org.opencontainers.image.version=$version" --label "org.opencontainers.image.revision=$revision" "$@" "$root"
