#!/usr/bin/env bash
# Packs `kubectl cube` for one platform: target/release-files/kubectl-cube_VERSION_OS_ARCH.tar.gz, with a .sha256 beside it.
#
#   TARGET=aarch64-apple-darwin   the platform as rustc names it; the default is this machine's
#   PROGRAM=path                  a program that is built already
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
host=$(rustc -vV | sed -n 's/^host: //p')
target=${TARGET:-$host}

case $target in
  x86_64-*) arch=amd64 ;;
  aarch64-*) arch=arm64 ;;
  *) echo "no archive is made for $target" >&2; exit 1 ;;
esac
suffix=
case $target in
  *-linux-*) os=linux ;;
  *-apple-darwin) os=darwin ;;
  *-windows-*) os=windows; suffix=.exe ;;
  *) echo "no archive is made for $target" >&2; exit 1 ;;
esac

program=${PROGRAM:-}
if [ -z "$program" ]; then
  if [ "$target" = "$host" ]; then
    cargo build --profile plugin --locked --bin kubectl-cube
    program=target/plugin/kubectl-cube$suffix
  else
    cargo build --profile plugin --locked --bin kubectl-cube --target "$target"
    program=target/$target/plugin/kubectl-cube$suffix
  fi
fi

files=target/release-files
archive=kubectl-cube_${version}_${os}_$arch.tar.gz
content=target/plugin-archive
rm -rf "$content"
mkdir -p "$content/completions" "$files"
cp LICENSE "$content/"
cp "$program" "$content/kubectl-cube$suffix"
# The scripts are the same on every platform. A program for another processor may not run here: HOST_PROGRAM does.
host_program=${HOST_PROGRAM:-$content/kubectl-cube$suffix}
for shell in bash zsh fish powershell; do
  "$host_program" completion "$shell" > "$content/completions/kubectl-cube.$shell"
done
"$host_program" completion kubectl > "$content/kubectl_complete-cube"
chmod 755 "$content/kubectl-cube$suffix" "$content/kubectl_complete-cube"

# The same files make the same archive.
if tar --version | grep -q GNU; then
  tar --create --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$content" . | gzip --no-name > "$files/$archive"
else
  tar -c -z -f "$files/$archive" -C "$content" .
fi
if command -v sha256sum > /dev/null; then
  sum=$(sha256sum "$files/$archive")
else
  sum=$(shasum -a 256 "$files/$archive")
fi
echo "${sum%% *}" > "$files/$archive.sha256"
echo "$files/$archive"
