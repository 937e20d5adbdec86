#!/usr/bin/env bash
# The targets of tests/fuzz/targets.rs under libFuzzer, one after the other: [TARGET=answer] [SECONDS_EACH=300] tests/fuzz/run.sh
# Inputs that reach something new stay in target/fuzz/corpus: the next run goes on from them.
set -euo pipefail
cd "$(dirname "$0")/../.."

command -v g++ > /dev/null || { echo "make fuzz needs g++, to compile libFuzzer" >&2; exit 1; }

# What is tested is what the program is built from: the same versions of its dependencies. Cargo adds those of libFuzzer.
cp Cargo.lock tests/fuzz/libfuzzer/Cargo.lock
RUSTC_WRAPPER=$PWD/tests/fuzz/libfuzzer/rustc.sh cargo build --manifest-path tests/fuzz/libfuzzer/Cargo.toml \
  --target host-tuple --target-dir target/fuzz
fuzzer=$(echo target/fuzz/*/debug/libfuzzer)

for target in ${TARGET:-$(ls tests/fuzz/corpus)}; do
  corpus=target/fuzz/corpus/$target crashes=target/fuzz/crashes/$target log=target/fuzz/$target.log
  mkdir -p "$corpus" "$crashes"
  echo "$target, for ${SECONDS_EACH:=300} s"
  if TARGET=$target "$fuzzer" -max_total_time="$SECONDS_EACH" -timeout=10 -artifact_prefix="$crashes/" \
    "$corpus" "tests/fuzz/corpus/$target" > "$log" 2>&1; then
    grep -E '^#[0-9]+\s+(INITED|DONE)' "$log"
    continue
  fi
  grep -o 'Test unit written.*' "$log" >&2 || { tail -n 1 "$log" >&2; exit 1; }
  grep -A 1 'panicked at' "$log" >&2 || true
  echo "The whole story is in $log. Copy that input to tests/fuzz/corpus/$target, under a name that tells what it is:" >&2
  echo "then cargo test --test fuzz fails until it is mended, and whenever it breaks again." >&2
  exit 1
done
