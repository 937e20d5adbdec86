# shellcheck shell=sh
# Builds the Dockerfile with buildah on the stand-ins that bases.sh makes: for scripts that source it and set `root` and `fail`.
# Their storage is target/image, apart from any other images of this machine; it is theirs until they end.
# shellcheck disable=SC2154

work=$root/target/image

need_tools() { # need_tools TOOL...
    missing=
    for tool; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    [ -z "$missing" ] || fail "not installed:$missing: apt-get install buildah debootstrap util-linux curl python3"
    [ "$(id -u)" = 0 ] || fail "mounts and chroot need root: sudo $0"
}

# One at a time: a second run would remove the containers of the first.
take_storage() {
    mkdir -p "$work"
    exec 9>"$work/lock"
    flock --nonblock 9 || {
        echo "waiting for another run to end"
        flock 9
    }
    export CONTAINERS_STORAGE_CONF="$work/storage.conf" BUILDAH_ISOLATION=chroot
    printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "$work/storage" "$work/run" >"$CONTAINERS_STORAGE_CONF"
    remove_containers
}

# All: an earlier run that was killed may have left some.
remove_containers() {
    buildah rm --all >/dev/null
}

build_on_stand_ins() { # build_on_stand_ins IMAGE
    "$root/tests/image/bases.sh"
    # The stand-ins have the names of the bases, and cannot have their digests.
    sed '/^FROM /s/@sha256:[0-9a-f]*//' "$root/Dockerfile" >"$work/Dockerfile"
    # This machine's CA roots in the build stage: where the way to the crates goes through a proxy of a company's own CA,
    # only they know it.
    ENGINE=buildah IMAGE=$1 DOCKERFILE=$work/Dockerfile "$root/tests/image/build.sh" --pull-never --volume /etc/ssl/certs:/etc/ssl/certs:ro \
        >"$work/build.log" 2>&1 || {
        tail -n 20 "$work/build.log" >&2
        fail "the build failed: see $work/build.log"
    }
}
