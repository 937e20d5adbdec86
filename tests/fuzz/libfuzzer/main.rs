//! One of the targets under libFuzzer: the environment variable TARGET says which. `make fuzz` runs all of them.

#![no_main]

#[path = "../targets.rs"]
mod targets;

use std::{env, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use targets::{TARGETS, Target};

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = env::var("TARGET").unwrap_or_default();
    let found = TARGETS.into_iter().find(|(known, _)| *known == name);
    let names = TARGETS.map(|(name, _)| name);
    found
        .unwrap_or_else(|| panic!("TARGET={name:?} is none of {names:?}"))
        .1
});

fuzz_target!(|input: &[u8]| TARGET(input));
