# shellcheck shell=bash
# Counts checks: for scripts that source it.

passed=0 failed=0

# `set -e` does not count in what `check` calls: there, each command that may fail is followed by && or ||.
check() { # check WHAT COMMAND...: prints the command's output only if it fails
  local what=$1 output
  shift
  if output=$("$@" 2>&1); then
    echo "ok: $what"
    passed=$((passed + 1))
  else
    printf 'FAILED: %s\n%s\n' "$what" "$output" >&2
    failed=$((failed + 1))
  fi
}
