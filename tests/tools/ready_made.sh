# shellcheck shell=bash
# Looks for programs that need not be built: for build.sh, which sets `here`, `tools`, `bin`, `stamps` and `ready_made`.
# shellcheck disable=SC2154

# The oldest version that the demo works with.
minimum() {
    case $1 in
    helm) echo 3.15.0 ;;                      # made for Kubernetes 1.30
    etcd) echo 3.5.13 ;;                      # older ones do not report the progress of a watch reliably
    kubectl | kube-apiserver) echo 1.30.0 ;;  # kubeVersion of the chart
    esac
}

# found NAME: links $bin/NAME to a program that is installed, in KUBEBUILDER_ASSETS, or published for setup-envtest.
found() {
    local file
    [ -n "$(minimum "$1")" ] || return 1
    if [ -z "$ready_made" ]; then
        # The tests use the pinned versions, so that they find the same everywhere; only the assets are the user's choice.
        in_assets "$1"
        return
    fi
    while read -r file; do
        # The Makefile puts our own folder on PATH too.
        [ "${file%/*}" -ef "$bin" ] && continue
        new_enough "$1" "$file" && use "$1" "$file" && return
    done < <(type -aP "$1")
    in_assets "$1" || published "$1"
}

in_assets() {
    local file=${KUBEBUILDER_ASSETS:-}/$1
    [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$file" ] || return 1
    new_enough "$1" "$file" && use "$1" "$(realpath "$file")"
}

new_enough() {
    local version
    version=$(version_of "$1" "$2") || version=
    if [ -z "$version" ]; then
        echo "$1: $2 does not say its version: not used"
        return 1
    fi
    if [ "$(printf '%s\n' "$(minimum "$1")" "$version" | sort -V | head -n 1)" != "$(minimum "$1")" ]; then
        echo "$1: $2 is version $version, older than $(minimum "$1"): not used"
        return 1
    fi
}

version_of() {
    case $1 in
    kubectl) set -- "$2" version --client ;;
    helm) set -- "$2" version --short ;;
    *) set -- "$2" --version ;;
    esac
    timeout 10 "$@" </dev/null 2>/dev/null | grep -oE '[0-9]+\.[0-9]+(\.[0-9]+)?' | head -n 1
}

use() {
    ln -sfn "$2" "$bin/$1"
    echo "ready-made: $2" >"$stamps/$1"
    echo "$1: using $2"
}

# published NAME: downloads what is published for setup-envtest.
published() {
    case $1 in etcd | kube-apiserver | kubectl) ;; *) return 1 ;; esac
    # One archive has all three, and another run may be downloading it.
    (
        flock 8
        [ -x "$tools/envtest/$1" ] || download "$1"
    ) 8>"$stamps/envtest.lock" || return 1
    new_enough "$1" "$tools/envtest/$1" && use "$1" "$tools/envtest/$1"
}

# After a failure it is not tried again for a day: on a machine without the internet that would cost 20 s each time.
download() {
    local failed=$stamps/envtest.failed index=${ENVTEST_INDEX:-default}
    if [ "$(cat "$failed" 2>/dev/null)" = "$index" ] && [ -n "$(find "$failed" -mmin -1440)" ]; then
        echo "$1: not downloaded: that failed within the last day; remove $failed to try again"
        return 1
    fi
    waiting envtest "downloading etcd, kube-apiserver and kubectl, about 30 s" \
        python3 "$here/envtest.py" "$tools/envtest" "$(pinned kubernetes k8s.io/kubernetes)" && return
    echo "$index" >"$failed"
    return 1
}
