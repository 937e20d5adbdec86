#!/bin/sh
# Cargo calls this in place of rustc (RUSTC_WRAPPER): coverage for the code that reads inputs, and for nothing else. These are
# the flags that cargo-fuzz gives, and none of them needs a nightly compiler. What is built for the host (build scripts, macros)
# comes without --target, and has no libFuzzer to report to.
case "$3 $*" in
  "cube_operator "*" --target "* | "jiff "*" --target "* | "libfuzzer "*" --target "* | \
    "rustls_pki_types "*" --target "* | "serde_json "*" --target "* | "url "*" --target "*)
    exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
      -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
      -Cllvm-args=-sanitizer-coverage-trace-compares
    ;;
esac
exec "$@"
