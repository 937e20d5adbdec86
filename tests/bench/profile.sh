#!/usr/bin/env bash
# Counts how often each function of the operator runs in the scenarios of `make bench`, notes the order of the first calls, and writes
# both to cube-operator.profdata. The compiler builds a release by it, what runs often for speed and the rest for size, and the linker
# puts the functions that run next to each other.
set -euo pipefail
cd "$(dirname "$0")/../.."

host=$(rustc -vV | sed -n 's/^host: //p')
profdata=$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata
if [ ! -x "$profdata" ]; then
    echo "llvm-profdata of this compiler is missing: rustup component add llvm-tools" >&2
    exit 1
fi

directory=$PWD/target/profile
RUSTFLAGS="-Cprofile-generate=$directory/counts -Cllvm-args=-pgo-temporal-instrumentation" cargo rustc --release --locked --no-default-features --bin cube-operator \
    --target-dir "$directory"
# The build has counted its own macros too.
rm -rf "$directory/counts"
# Each process notes the order of the first calls in a file of its own. A program that counts is larger and slower than the bounds
# allow, which a trial does not check.
LLVM_PROFILE_FILE="$directory/counts/%m_%p.profraw" TRIAL=1 SIZES=1000 SCENARIOS=cold,restart,edit,refresh BENCH_BINARY=$directory/release/cube-operator \
    cargo test --profile harness --locked --test bench -- --ignored --nocapture
"$profdata" merge --text --output "$directory/all.txt" "$directory"/counts/*.profraw
tests/bench/profile.py <"$directory/all.txt" >"$directory/some.txt"
"$profdata" merge --output cube-operator.profdata "$directory/some.txt"
ls -l cube-operator.profdata
