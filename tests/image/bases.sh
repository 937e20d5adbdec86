#!/bin/sh
# Makes stand-ins of the two bases of the Dockerfile, under the names (without digest) that its FROM lines use, in the storage
# that check.sh configures: for machines that reach no image registry. One is a minimal Debian 12 with gcc and this
# machine's Rust toolchain, the other the Debian packages that distroless/cc consists of. A second run does nothing.
#
# DEBIAN_MIRROR=URL    where the packages come from
set -eu
: "${CONTAINERS_STORAGE_CONF:?is set by check.sh: run that}"

root=$(cd "$(dirname "$0")/../.." && pwd)
log=$root/target/image/debootstrap.log
stamp_file=$root/target/image/bases
final=gcr.io/distroless/cc-debian12:nonroot
# In the order of the real image: static, base, cc.
final_packages="base-files media-types netbase tzdata libc6 libssl3 gcc-12-base libgcc-s1 libgomp1 libstdc++6"

fail() {
    echo "bases.sh: $*" >&2
    exit 1
}

froms=$(sed -n 's/^FROM \([^ @]*\).*/\1/p' "$root/Dockerfile" | paste -s -d ' ')
rust=$(echo "$froms" | sed -n "s|^docker.io/library/rust:\([0-9.]*\)-bookworm $final\$|\1|p")
[ -n "$rust" ] || fail "no stand-ins are known for '$froms': teach this script the new bases"
build=docker.io/library/rust:$rust-bookworm

# The toolchain of the Dockerfile's version if rustup has it, else the default one if that is the same version.
sysroot=$(rustc "+$rust" --print sysroot 2>/dev/null || rustc --print sysroot 2>/dev/null || true)
case $("$sysroot/bin/rustc" --version 2>/dev/null || true) in
"rustc $rust."*) [ "$sysroot" != /usr ] && [ -x "$sysroot/bin/cargo" ] ;;
*) false ;;
esac || fail "Rust $rust, the Dockerfile's version, is not installed here: rustup toolchain install $rust"

stamp=$({
    cat "$0"
    "$sysroot/bin/rustc" --version --verbose
} | sha256sum)
if [ "$(cat "$stamp_file" 2>/dev/null)" = "$stamp" ] &&
    buildah inspect --type image "$build" >/dev/null 2>&1 && buildah inspect --type image "$final" >/dev/null 2>&1; then
    echo "stand-ins of $froms: already made"
    exit
fi
echo "stand-ins of $froms: making them, about 1 min"
rm -f "$stamp_file"

build_container=$(buildah from scratch)
final_container=$(buildah from scratch)
build_root=$(buildah mount "$build_container")
final_root=$(buildah mount "$final_container")

# In a mount namespace of its own, so that an interrupted debootstrap leaves no mounts behind. The packages of the
# final base are among those of the build stage only to be downloaded with them.
include=gcc,libc6-dev,ca-certificates,$(echo "$final_packages" | tr ' ' ',')
unshare --mount debootstrap --force-check-gpg --variant=minbase "--include=$include" \
    bookworm "$build_root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    fail "debootstrap failed: see $log"
}

for package in $final_packages; do
    dpkg-deb --extract "$build_root/var/cache/apt/archives/${package}_"*.deb "$final_root"
done
mkdir -p "$final_root/etc/ssl/certs" "$final_root/home/nonroot"
cp "$build_root/etc/ssl/certs/ca-certificates.crt" "$final_root/etc/ssl/certs/"
printf '%s\n' 'root:x:0:0:root:/root:/sbin/nologin' 'nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin' \
    'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >"$final_root/etc/passwd"
printf '%s\n' 'root:x:0:' 'nobody:x:65534:' 'nonroot:x:65532:' >"$final_root/etc/group"
chown 65532:65532 "$final_root/home/nonroot"
chmod 700 "$final_root/home/nonroot"

cp -a "$sysroot/bin" "$sysroot/lib" "$build_root/usr/local/"
rm -rf "$build_root"/var/cache/apt/archives/*.deb

path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
buildah config --env PATH=/usr/local/cargo/bin:$path --env CARGO_HOME=/usr/local/cargo "$build_container"
# The user by name, unlike the real image: the Dockerfile has to say the number itself.
buildah config --env PATH=$path --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    --user nonroot --workingdir /home/nonroot "$final_container"
buildah commit --quiet "$build_container" "$build" >/dev/null
buildah commit --quiet "$final_container" "$final" >/dev/null
echo "$stamp" >"$stamp_file"
