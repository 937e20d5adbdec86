//! The decision is pure: nothing below `src/reconcile` and nothing that reads an answer knows a cluster, a network, a clock, a
//! runtime or chance. Proven from the sources.

use std::{
    fs,
    path::{Path, PathBuf},
};

const PURE: [&str; 13] = [
    "src/api_error.rs",
    "src/consumers.rs",
    "src/consumers",
    "src/reconcile.rs",
    "src/reconcile",
    "src/oauth/response.rs",
    "src/oauth/response",
    "src/oauth/authorities.rs",
    "src/oauth/certificate.rs",
    "src/oauth/endpoint.rs",
    "src/oauth/probe.rs",
    "src/oauth/request.rs",
    "src/oauth/scrub.rs",
];

/// What a pure module names, and what of it is impure.
const IMPURE: [(&str, &str); 20] = [
    ("kube::", "the cluster"),
    ("k8s_openapi", "the cluster"),
    ("crate::cluster", "the cluster"),
    ("crate::kubernetes", "the cluster"),
    ("crate::controller", "the cluster"),
    ("oauth::client", "the network"),
    ("reqwest", "the network"),
    ("std::net::Tcp", "the network"),
    ("std::net::Udp", "the network"),
    ("tokio", "a runtime"),
    ("async fn", "a runtime"),
    ("std::thread", "a runtime"),
    ("std::env", "the environment"),
    ("std::fs", "the environment"),
    ("std::process", "the environment"),
    ("Timestamp::now", "a clock"),
    ("Zoned::now", "a clock"),
    ("Instant", "a clock"),
    ("SystemTime", "a clock"),
    ("rand::", "chance"),
];
/// What only a program's hands do: a pure function returns what it has to say.
const TALK: [&str; 5] = ["println!", "eprintln!", "print!(", "dbg!", "tracing::"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    entries
        .flat_map(|entry| sources(&entry.expect("it can be listed").path()))
        .collect()
}

/// The lines of code that name something impure; a comment may.
fn offences(text: &str) -> Vec<String> {
    let impure = IMPURE.iter().map(|(name, _)| *name).chain(TALK);
    let code = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    // Paths can also be taken apart: `use std::{env, fs}`.
    let text: String = code.collect::<Vec<_>>().join("\n");
    let grouped = ["env", "fs", "process", "thread", "time"]
        .into_iter()
        .filter(|module| imports(&text, "std", module));
    impure
        .filter(|name| text.contains(name))
        .map(str::to_owned)
        .chain(grouped.map(|module| format!("std::{{{module}}}")))
        .collect()
}

/// Whether a `use` of this crate with braces has this module.
fn imports(text: &str, krate: &str, module: &str) -> bool {
    let start = format!("use {krate}::{{");
    text.split(&start).skip(1).any(|rest| {
        let group = rest.split(';').next().unwrap_or_default();
        group
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| word == module)
    })
}

#[test]
fn the_decision_and_the_reading_of_answers_are_pure() {
    let files: Vec<_> = PURE
        .iter()
        .flat_map(|path| sources(&root().join(path)))
        .collect();
    assert!(files.len() > 30, "the sources were found: {files:?}");
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for offence in offences(&text) {
            found.push(format!("{} names {offence}", file.display()));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn an_impure_line_is_found_and_a_comment_is_not() {
    for (text, found) in [
        ("let now = Timestamp::now();", true),
        ("use std::{collections::BTreeMap, env};", true),
        ("use std::{\n    fs::File,\n};", true),
        ("use kube::Api;", true),
        ("// Timestamp::now() is the caller's", false),
        (
            "use std::{collections::BTreeMap, fmt};\nlet env = 1;",
            false,
        ),
    ] {
        assert_eq!(!offences(text).is_empty(), found, "{text}");
    }
}
