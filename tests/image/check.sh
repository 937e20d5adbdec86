#!/bin/sh
# Builds the Dockerfile on a machine without a container engine or a way to an image registry, and checks the image:
# what it says, what is inside, and that the operator works in it as a pod would run it. buildah builds it, on the
# stand-ins that bases.sh makes; so this proves the Dockerfile and what it adds, not the real bases.
#
#   tests/image/check.sh        as root, for mounts and chroot
#
# Everything is kept in target/image, apart from any other images of this machine: remove it to begin anew. The image
# stays there too: CONTAINERS_STORAGE_CONF=target/image/storage.conf buildah images
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
image=localhost/cube-operator:check
program=/usr/local/bin/cube-operator
account_in_pod=/var/run/secrets/kubernetes.io/serviceaccount
largest=64 # MB: about 25 of base, 12 of program, and room to grow; a build stage would be hundreds
passed=0
failed=0

fail() {
    echo "check.sh: $*" >&2
    exit 1
}

# shellcheck source=tests/image/stand-ins.sh
. "$root/tests/image/stand-ins.sh"

# check NAME COMMAND: COMMAND prints what it found, and succeeds if that is right.
check() {
    if found=$("$2"); then
        passed=$((passed + 1))
        verdict=ok
    else
        failed=$((failed + 1))
        verdict=FAIL
    fi
    printf '%-5s %s: %s\n' "$verdict" "$1" "$(echo "$found" | head -n 20 | paste -s -d ' ')"
}

config() { # config FIELD
    buildah inspect --type image --format "{{.OCIv1.Config.$1}}" "$image"
}

# Not `buildah run --isolation chroot`: about once in a hundred times it loses what a short program printed.
in_image() { # in_image ARGUMENT...: runs the program
    chroot --userspec="$(config User)" "$mount" "$program" "$@"
}

user() {
    config User
    [ "$(config User)" = 65532:65532 ]
}

entrypoint() {
    found="$(config Entrypoint) $(config Cmd)"
    echo "$found"
    [ "$found" = "[$program] [run]" ]
}

port() {
    config ExposedPorts
    [ "$(config ExposedPorts)" = 'map[8080/tcp:{}]' ]
}

labels() {
    for label in title description licenses version revision base.name; do
        value=$(buildah inspect --type image --format "{{index .OCIv1.Config.Labels \"org.opencontainers.image.$label\"}}" "$image")
        printf '%s=%s ' "$label" "$value"
        case $label=$value in
        *=) return 1 ;;
        version=*) [ "$value" = "$version" ] || return 1 ;;
        revision=*) case $value in "$revision" | "$revision-dirty") ;; *) return 1 ;; esac ;;
        esac
    done
}

reports_its_version() {
    found=$(in_image --version 2>&1) || true
    echo "$found"
    [ "$found" = "cube-operator $version" ]
}

roots() {
    bundle=$mount/etc/ssl/certs/ca-certificates.crt
    count=$(grep -c '^-----BEGIN CERTIFICATE-----$' "$bundle" 2>/dev/null) || true
    echo "${count:-0} in /etc/ssl/certs/ca-certificates.crt"
    # Mozilla's list has about 140; the process is not root, so everybody has to be able to read it.
    [ "${count:-0}" -ge 100 ] && [ -n "$(find "$bundle" -perm -o=r)" ]
}

# Stronger than a list of shells and compilers: nothing at all can be executed except the program. (Debian's
# base-files has one script, for a shell that is not there.)
only_program() {
    found=$(cd "$mount" && find . -xdev -type f -perm /111 ! -name '*.so' ! -name '*.so.*' \
        ! -path ./etc/update-motd.d/10-uname -printf '%u:%m:%p\n' | sed 's/:\./:/')
    echo "$found"
    [ "$found" = "root:755:$program" ]
}

size() {
    total=$(du --summarize --bytes --one-file-system "$mount" | cut -f 1)
    echo "$((total / 1000000)) MB, of which the program $(($(stat -c %s "$mount$program") / 1000000)) MB (at most $largest)"
    [ "$total" -le $((largest * 1000000)) ]
}

# wait_for PID SECONDS COMMAND...: until it succeeds, while the process lives.
wait_for() {
    pid=$1
    deadline=$(($(date +%s) + $2))
    shift 2
    until "$@" >/dev/null 2>&1; do
        kill -0 "$pid" 2>/dev/null && [ "$(date +%s)" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}

# The way a container runtime does it: the image's own words as its own user, the service account mounted where the
# client looks for it, and nothing else writable. The mounts go with their namespace, when the process ends.
start_operator() {
    environment=$(buildah inspect --type image --format '{{range .OCIv1.Config.Env}}{{.}} {{end}}' "$image")
    words=$(buildah inspect --type image --format '{{range .OCIv1.Config.Entrypoint}}{{.}} {{end}}{{range .OCIv1.Config.Cmd}}{{.}} {{end}}' "$image")
    # shellcheck disable=SC2016,SC2086 # the inner shell expands what is quoted; words are split on purpose
    unshare --mount sh -euc '
        mount=$1 account=$2 account_in_pod=$3
        shift 3
        mount --bind "$mount" "$mount"
        mount --bind -o ro "$account" "$mount$account_in_pod"
        mount -t proc proc "$mount/proc"
        mount -o remount,bind,ro "$mount"
        if touch "$mount/tmp/written" 2>/dev/null; then echo "the root is not read-only" && exit 1; fi
        exec env --ignore-environment "$@"
    ' sh "$mount" "$scratch/account" "$account_in_pod" \
        KUBERNETES_SERVICE_HOST=127.0.0.1 "KUBERNETES_SERVICE_PORT=${server##*:}" CUBE_OPERATOR_LISTEN=127.0.0.1:0 \
        $environment chroot --userspec="$(config User)" "$mount" $words \
        >"$scratch/operator.log" 2>&1 3>&- 9>&- &
    operator=$!
}

kubectl() {
    "$root/target/tools/bin/kubectl" --kubeconfig "$scratch/control-plane/kubeconfig" "$@" >>"$scratch/kubectl.log" 2>&1
}

# A real API server, the definitions that the image itself prints, and a service account as a pod has one.
start_control_plane() {
    mkfifo "$scratch/stdin"
    python3 "$root/tests/environment.py" control-plane --dir "$scratch/control-plane" \
        <"$scratch/stdin" >"$scratch/started" 2>"$scratch/control-plane.log" 9>&- &
    # Held open as long as this process lives: the control plane ends with it.
    exec 3>"$scratch/stdin"
    wait_for $! 120 test -s "$scratch/started" || return 1
    server=$(sed -n 's/.*"server": "\([^"]*\)".*/\1/p' "$scratch/started")

    in_image crd >"$scratch/crd.yaml" 2>>"$scratch/kubectl.log" || return 1
    kubectl apply -f "$scratch/crd.yaml" &&
        kubectl wait --for condition=Established --timeout 30s -f "$scratch/crd.yaml" &&
        kubectl create clusterrolebinding check --clusterrole cluster-admin --serviceaccount default:default || return 1
    mkdir -p "$scratch/account" "$mount$account_in_pod"
    cp "$scratch/control-plane/ca.crt" "$scratch/account/"
    printf default >"$scratch/account/namespace"
    "$root/target/tools/bin/kubectl" --kubeconfig "$scratch/control-plane/kubeconfig" create token default \
        >"$scratch/account/token" 2>>"$scratch/kubectl.log" || return 1
    chmod -R a+rX "$scratch/account"
}

listens() {
    address=$(sed -n 's/.*"address":"\([^"]*\)".*/\1/p' "$scratch/operator.log")
    [ -n "$address" ]
}

works_read_only() {
    if ! start_control_plane; then
        echo "cannot prepare a cluster for it: $(tail -qn 3 "$scratch/control-plane.log" "$scratch/kubectl.log" 2>/dev/null)"
        return 1
    fi
    start_operator
    if ! wait_for "$operator" 30 listens || ! wait_for "$operator" 30 curl --fail --silent "http://$address/readyz"; then
        kill "$operator" 2>/dev/null || true
        echo "not ready: $(tail -n 3 "$scratch/operator.log")"
        return 1
    fi
    uid=$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$operator/status")
    kill -TERM "$operator"
    status=0
    wait "$operator" || status=$?
    echo "ready as user $uid, status $status after SIGTERM"
    [ "$uid" = 65532 ] && [ "$status" = 0 ]
}

need_tools buildah debootstrap unshare curl python3
take_storage

scratch=$(mktemp -d "${TMPDIR:-/tmp}/cube-operator-image.XXXXXX")
clean() {
    remove_containers
    rm -rf "$scratch"
}
trap clean EXIT
trap 'exit 1' INT TERM HUP

"$root/tests/tools/build.sh" kubectl etcd kube-apiserver kube-controller-manager
# Before the build, which takes minutes: what is expected is what it starts from.
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
revision=$(git -C "$root" rev-parse --verify HEAD 2>/dev/null || echo unknown)
build_on_stand_ins "$image"

mount=$(buildah mount "$(buildah from --pull-never "$image")")

check "the user is nonroot, and a number" user
check "the entrypoint and its default" entrypoint
check "the port" port
check "the labels" labels
check "the program reports its version" reports_its_version
check "CA roots are there" roots
check "no shell and no build tools: the program is all that can run" only_program
check "the size" size
check "it works on a read-only root, against a real API server" works_read_only

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
