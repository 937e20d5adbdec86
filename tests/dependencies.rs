//! What may be linked into the program: one TLS stack, known licences, the public registry.

use std::process::Command;

use serde_json::Value;

/// A second TLS stack or crypto provider would have its own roots and its own bugs; a C one would also need a C toolchain in
/// every build.
const BANNED: [&str; 5] = [
    "aws-lc-rs",
    "aws-lc-sys",
    "native-tls",
    "openssl",
    "openssl-sys",
];

/// Licences that Apache-2.0 code can be shipped with.
const LICENCES: [&str; 10] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("it lists packages");
    packages
        .iter()
        .filter(|package| package["name"] != "cube-operator")
        .cloned()
        .collect()
}

#[test]
fn there_is_one_tls_stack() {
    let found: Vec<_> = packages()
        .into_iter()
        .filter(|package| BANNED.contains(&package["name"].as_str().unwrap_or_default()))
        .collect();
    assert!(
        found.is_empty(),
        "{:?}",
        found
            .iter()
            .map(|package| &package["id"])
            .collect::<Vec<_>>()
    );
}

#[test]
fn every_dependency_has_a_known_licence() {
    for package in packages() {
        let licence = package["license"].as_str().unwrap_or_default();
        // "A OR B" and the old "A/B" leave the choice to us; "A AND B" does not.
        let choices: Vec<_> = licence
            .split(" OR ")
            .flat_map(|choice| choice.split('/'))
            .collect();
        let permitted = |choice: &&str| {
            choice
                .split(" AND ")
                .all(|part| LICENCES.contains(&part.trim_matches(['(', ')', ' '])))
        };
        assert!(
            choices.iter().any(permitted),
            "{} has the licence {licence:?}",
            package["name"]
        );
    }
}

#[test]
fn every_dependency_comes_from_the_public_registry() {
    for package in packages() {
        let source = package["source"].as_str().unwrap_or_default();
        assert!(
            source.starts_with("registry+"),
            "{} comes from {source:?}",
            package["name"]
        );
    }
}
