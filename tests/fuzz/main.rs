//! Everything that reads what others wrote, against inputs that nobody would write.
//!
//! Here each target gets its corpus, and mutations of it from a fixed seed: the same in every run, and quick. `make fuzz`
//! searches for hours with the same targets and corpora, guided by coverage.

#![expect(clippy::unwrap_used, reason = "a test fails where its world does")]

mod mutate;
// With its path, as in libfuzzer/main.rs: so its modules lie beside it for both.
#[path = "targets.rs"]
mod targets;

use std::{
    collections::BTreeSet,
    fs, panic,
    path::{Path, PathBuf},
};

use fastrand::Rng;
use targets::{TARGETS, Target};

const MUTATIONS: usize = 3_000;
/// Inputs that are much longer than what people write, though short enough for a test.
const SWOLLEN: usize = 20;
const SWOLLEN_TO: usize = 16 << 10;

fn corpus_of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(name)
}

fn names_in(path: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn run(name: &str) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let path = corpus_of(name);
    let mut corpus = vec![];
    for file in names_in(&path) {
        let input = fs::read(path.join(&file)).unwrap();
        check(name, *target, &input, &file);
        corpus.push(input);
    }
    for seed in 0..MUTATIONS {
        let input = mutate::mutated(&corpus, &mut Rng::with_seed(seed as u64));
        check(name, *target, &input, &format!("mutation {seed}"));
    }
    for seed in 0..SWOLLEN {
        let input = mutate::swollen(&corpus, SWOLLEN_TO, &mut Rng::with_seed(seed as u64));
        check(name, *target, &input, &format!("swollen input {seed}"));
    }
}

fn check(name: &str, target: Target, input: &[u8], which: &str) {
    let what = format!("{which} of {name}");
    let mut holds = false;
    let memory = allocation_counter::measure(|| {
        holds = panic::catch_unwind(|| target(input)).is_ok();
    });
    assert!(
        holds,
        "{what} fails; to keep it, add it to the corpus:\n{}",
        input.escape_ascii()
    );
    let length = input.len() as u64;
    assert!(
        memory.bytes_max <= at_once(name, length) && memory.bytes_total <= in_all(length),
        "{what} takes {} bytes at once and {} in all:\n{}",
        memory.bytes_max,
        memory.bytes_total,
        input.escape_ascii()
    );
}

/// The most bytes of memory that a target may hold at any moment, for an input of this length. It is several times what the targets
/// take, as they also make copies to compare, and would be exceeded by whatever grows faster than the input.
fn at_once(name: &str, length: u64) -> u64 {
    // The filters of a short template may write 2 MiB.
    let whatever_the_length = if name == "template" {
        4 << 20
    } else {
        128 << 10
    };
    64 * length + whatever_the_length
}

/// The most bytes that a target may allocate from beginning to end: a bound on the work that an input causes.
const fn in_all(length: u64) -> u64 {
    4_000 * length + (8 << 20)
}

#[test]
fn answers() {
    run("answer");
}

#[test]
fn pem_texts() {
    run("ca_bundle");
}

#[test]
fn metadata_of_servers() {
    run("discovery");
}

#[test]
fn token_urls() {
    run("endpoint");
}

#[test]
fn host_lists() {
    run("hosts");
}

#[test]
fn objects_in_the_cluster() {
    run("objects");
}

#[test]
fn private_keys() {
    run("private_key");
}

#[test]
fn pauses() {
    run("retry_after");
}

#[test]
fn templates_of_targets() {
    run("template");
}

#[test]
fn texts_of_providers() {
    run("scrub");
}

#[test]
fn every_target_has_a_corpus() {
    let corpora = names_in(&corpus_of(""));
    let targets = TARGETS.map(|(name, _)| name.to_owned());
    assert_eq!(corpora, BTreeSet::from(targets));
}
