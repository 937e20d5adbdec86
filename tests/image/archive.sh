#!/bin/sh
# Writes the image that the Dockerfile builds into a file, for a node without a registry: with docker or podman if one works, else
# with buildah on stand-ins for the bases.
#
#   tests/image/archive.sh IMAGE FILE
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
image=$1
file=$2

fail() {
    echo "archive.sh: $*" >&2
    exit 1
}

# shellcheck source=tests/image/stand-ins.sh
. "$root/tests/image/stand-ins.sh"

for engine in docker podman; do
    if command -v $engine >/dev/null && timeout 30 $engine info >/dev/null 2>&1; then
        IMAGE=$image ENGINE=$engine "$root/tests/image/build.sh"
        exec $engine save --output "$file" "$image"
    fi
done
need_tools buildah debootstrap unshare
take_storage
trap remove_containers EXIT
trap 'exit 1' INT TERM HUP
echo "building $image with buildah on stand-ins for its bases: 10 minutes where it has to be compiled"
build_on_stand_ins "$image"
buildah push --quiet "$image" "docker-archive:$file:$image" >/dev/null
