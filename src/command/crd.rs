//! `cube-operator crd`: the CustomResourceDefinition, generated from the types.

use std::io::Write;

use kube::CustomResourceExt;

use crate::api::CubeCredential;

/// The CustomResourceDefinition as YAML.
#[must_use]
pub fn yaml() -> String {
    let yaml = serde_saphyr::to_string(&CubeCredential::crd())
        .expect("a definition of plain values can be written");
    format!(
        "# Generated from src/api by `cube-operator crd`; do not edit.\n{}\n",
        yaml.trim_end()
    )
}

/// Prints the definition.
///
/// # Errors
/// If standard output is closed.
pub fn print() -> super::Result {
    std::io::stdout()
        .write_all(yaml().as_bytes())
        .map_err(|error| format!("failed to write to standard output: {error}"))
}
